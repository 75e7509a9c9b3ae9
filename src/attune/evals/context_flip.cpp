// Pairs whose better answer changes with the context: whether a reward model follows it.
#include <algorithm>
#include <map>

#include "attune/evals/opinions.h"
#include "attune/statistics/answers.h"

namespace attune::evals {
namespace {

// Records with the same two answers to the same prompt, under different contexts.
struct Seen {
  double right = 0;    // what the better answer won
  bool first = false;  // the better answer is the first by alphabet
};

class ContextFlip final : public Eval {
  std::string group_ = "";
  IntervalOptions interval_;

  std::string key_of(const Record& record, const std::string& a, const std::string& b) const {
    if (!group_.empty()) {
      if (const auto group = column_of(record, group_)) return *group;
    }
    return std::min(a, b) + '\0' + std::max(a, b);
  }

 public:
  void describe(Fields& fields) {
    fields("group", group_, "column that names what the contexts are of; empty: records with the same two answers");
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "Pairs followed through a change of context (%)"};
    const Opinions opinions(input);
    opinions.report(result);
    const Dataset& dataset = input.data.dataset();
    std::map<std::string, std::vector<Seen>> groups;
    std::vector<double> all;
    for (std::size_t r = 0; r < dataset.records.size(); ++r) {
      const Record& record = dataset.records[r];
      for (const Pair& pair : pairs(record)) {
        const auto said = opinions.said(r, pair.chosen, pair.rejected);
        if (said.empty()) {
          result.leave_out("pairs without scores of both answers or a verdict", record_address(dataset, r));
          continue;
        }
        const std::string chosen = completion_text(record, record.completions[static_cast<std::size_t>(pair.chosen)]);
        const std::string rejected =
            completion_text(record, record.completions[static_cast<std::size_t>(pair.rejected)]);
        all.push_back(plain_mean(said));
        groups[key_of(record, chosen, rejected)].push_back({.right = all.back(), .first = chosen < rejected});
      }
    }
    std::vector<double> both;
    for (const auto& [key, seen] : groups) {
      const bool flips =
          std::any_of(seen.begin(), seen.end(), [&](const Seen& one) { return one.first != seen[0].first; });
      if (!flips) continue;
      both.push_back(std::all_of(seen.begin(), seen.end(), [](const Seen& one) { return one.right > 0.5; }) ? 100 : 0);
    }
    if (both.empty()) {
      input.data.refuse("no answers that are the better ones in one context and not in another", "pairs that flip",
                        "name what the contexts are of: group=COLUMN");
    }
    result.score = plain_mean(both);
    result.n = both.size();
    result.interval = interval_.of_mean(both).interval;
    result.parts = Json::object({{"accuracy", 100 * plain_mean(all)}, {"pairs", all.size()}, {"flips", both.size()}});
    result.lines.push_back("A reward model that does not read the context follows none of them.");
    return result;
  }
};

}  // namespace

ATTUNE_PART(
    Eval, context_flip, ContextFlip,
    .summary = "whether a reward model follows a context that changes which of two answers is better",
    .formula = "share of answer pairs with opposite preferences in different contexts that are ranked rightly in all",
    .paper = "Pitis et al. 2024, Improving context-aware preference modeling, arXiv 2407.14916");

}  // namespace attune::evals
