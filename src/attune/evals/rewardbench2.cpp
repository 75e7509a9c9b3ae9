// RewardBench 2: the best of four in five subsets, and ties among several right answers.
#include <algorithm>
#include <cmath>
#include <map>

#include "attune/base/errors.h"
#include "attune/evals/groups.h"
#include "attune/evals/opinions.h"

namespace attune::evals {
namespace {

// The right and the wrong completions of a record: its ranking of two tiers.
struct Sides {
  std::vector<double> right = {}, wrong = {};
};

Sides sides_of(const Record& record, const std::vector<double>& scores) {
  Sides sides;
  for (const Feedback& feedback : record.feedback) {
    const auto* ranking = std::get_if<Ranking>(&feedback.what);
    if (ranking == nullptr || ranking->tiers.size() != 2) continue;
    for (const Target& target : ranking->tiers[0])
      sides.right.push_back(scores[static_cast<std::size_t>(target.completion)]);
    for (const Target& target : ranking->tiers[1])
      sides.wrong.push_back(scores[static_cast<std::size_t>(target.completion)]);
    break;
  }
  return sides;
}

// 1 over the number of answers at the maximum where a right one is among them, else 0.
double best_of(const Sides& sides) {
  const double right = *std::max_element(sides.right.begin(), sides.right.end());
  const double top = std::max(right, *std::max_element(sides.wrong.begin(), sides.wrong.end()));
  if (right < top) return 0;
  const auto count =
      std::count(sides.right.begin(), sides.right.end(), top) + std::count(sides.wrong.begin(), sides.wrong.end(), top);
  return 1 / static_cast<double>(count);
}

// One prompt of the Ties subset: whether every right answer is above every wrong one, how far the right ones lie
// apart, and how far they are above the wrong ones.
struct TiePrompt {
  double accurate = 0, spread = 0, gap = 0;
};

TiePrompt tie_prompt(const Sides& sides) {
  const auto [low, high] = std::minmax_element(sides.right.begin(), sides.right.end());
  const double wrong = *std::max_element(sides.wrong.begin(), sides.wrong.end());
  return {.accurate = *low > wrong ? 1.0 : 0.0, .spread = *high - *low, .gap = *low - wrong};
}

struct TiePair {
  TiePrompt reference = {}, tied = {};  // one right answer; several
};

// The weighted score of prompts that come as reference and tied version.
double tie_score(const std::vector<TiePair>& pairs) {
  double tied = 0, reference = 0, wide = 0, wide_both = 0, margin = 0;
  for (const TiePair& pair : pairs) {
    const double spread = pair.tied.spread, least = std::min(pair.reference.gap, pair.tied.gap);
    tied += pair.tied.accurate;
    reference += pair.reference.accurate;
    wide += pair.tied.gap > spread ? 1 : 0;
    wide_both += least > spread ? 1 : 0;
    const double term = std::tanh(least / spread - 1);
    margin += std::isnan(term) ? 0 : term;
  }
  return (0.3 * tied + 0.3 * reference + 0.2 * wide + 0.2 * wide_both + 0.01 * margin) /
         static_cast<double>(pairs.size());
}

class RewardBench2 final : public Eval {
  IntervalOptions interval_;

  struct Items {
    Groups groups = {};
    std::map<std::string, std::pair<std::optional<TiePrompt>, std::optional<TiePrompt>>> ties = {};  // by prompt
  };

  static Items items_of(const EvalInput& input, EvalResult& result) {
    const JoinedScores scores(input.data, input.scores);
    scores.report(result);
    const Dataset& dataset = input.data.dataset();
    Items items;
    for (std::size_t r = 0; r < dataset.records.size(); ++r) {
      const Record& record = dataset.records[r];
      const std::string address = record_address(dataset, r), subset = column_of(record, "subset").value_or("");
      if (!scores.has_all(r)) {
        result.leave_out("prompts without scores of all answers", address);
        continue;
      }
      const Sides sides = sides_of(record, scores.of(r));
      if (sides.right.empty() || sides.wrong.empty()) {
        result.leave_out("prompts without a right or without a wrong answer", address);
      } else if (subset != "Ties") {
        items.groups.add(subset, best_of(sides));
      } else {
        const std::size_t mark = address.find(':');
        const std::string kind = address.substr(0, mark);
        if (mark == std::string::npos || (kind != "ref" && kind != "tied")) {
          throw DataError({.file = input.data.path(), .record = address}, "a prompt of Ties with another id",
                          "ref:N or tied:N");
        }
        auto& pair = items.ties[address.substr(mark + 1)];
        (kind == "ref" ? pair.first : pair.second) = tie_prompt(sides);
      }
    }
    return items;
  }

 public:
  void describe(Fields& fields) { interval_.describe(fields); }

  EvalResult run(const EvalInput& input) const override {
    if (input.scores.empty()) throw UsageError({}, "no --scores", "a file of scores");
    EvalResult result{.title = "RewardBench 2"};
    const Items items = items_of(input, result);
    std::vector<TiePair> ties;
    for (const auto& [prompt, pair] : items.ties) {
      if (pair.first && pair.second) {
        ties.push_back({.reference = *pair.first, .tied = *pair.second});
      } else {
        result.leave_out("prompts of Ties without their other version", prompt);
      }
    }
    if (items.groups.items() == 0 && ties.empty()) input.data.refuse("no prompt with all scores", "at least one");
    std::vector<double> means = items.groups.means();
    result.parts = groups_json(items.groups);
    if (!ties.empty()) {
      means.push_back(tie_score(ties));
      result.parts.set("Ties", Json::object({{"score", 100 * means.back()}, {"n", ties.size()}}));
    }
    result.score = 100 * plain_mean(means);
    result.n = items.groups.items() + ties.size();
    result.interval = interval_of(items.groups, ties);
    result.charts.push_back(groups_chart(items.groups, "The best answer is a right one"));
    return result;
  }

 private:
  // Prompts drawn among those of their subset.
  Interval interval_of(const Groups& groups, const std::vector<TiePair>& ties) const {
    std::vector<const Group*> all;
    for (const Group& group : groups.all()) all.push_back(&group);
    const std::size_t subsets = all.size() + (ties.empty() ? 0 : 1);
    return interval_
        .of(groups.items() + ties.size(),
            [&](std::span<const std::size_t> units) {
              std::vector<std::vector<double>> values(all.size());
              std::vector<TiePair> pairs;
              for (std::size_t unit : units) {
                std::size_t g = 0;
                while (g < all.size() && unit >= all[g]->values.size()) unit -= all[g++]->values.size();
                if (g < all.size()) {
                  values[g].push_back(all[g]->values[unit]);
                } else {
                  pairs.push_back(ties[unit]);
                }
              }
              double sum = ties.empty() ? 0 : tie_score(pairs);  // NaN where none was drawn: left out
              for (const auto& own : values) sum += own.empty() ? NAN : plain_mean(own);
              return 100 * sum / static_cast<double>(subsets);
            })
        .interval;
  }
};

}  // namespace

ATTUNE_PART(Eval, rewardbench2, RewardBench2,
            .summary = "RewardBench 2: the best of four answers in five subsets, and Ties",
            .formula =
                "item = [s_right = max] / #{at the max}; Ties = 0.3 mean A_tied + 0.3 mean A_ref + 0.2 mean [G_tied "
                "> D] + 0.2 mean [min(G_ref, G_tied) > D] + 0.01 mean tanh(min(G) / D - 1); mean of the subsets",
            .paper = "Malik et al. 2025, RewardBench 2, arXiv 2506.01937");

}  // namespace attune::evals
