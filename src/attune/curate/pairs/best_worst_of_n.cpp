// The best and the worst of n scored answers to a prompt, as a comparison: what BoNBoN learns from.
#include <algorithm>
#include <map>

#include "attune/base/errors.h"
#include "attune/curate/operator.h"
#include "attune/data/scores.h"

namespace attune::curate {

class BestWorstOfN final : public Operator {
  int n_ = 8;
  std::string attribute_ = {};
  std::string resolved_ = {};

 public:
  void describe(Fields& fields) {
    fields("n", n_, "answers that one comparison is taken from, in their order; 0: all of a prompt").at_least(0);
    fields("attribute", attribute_, "which rating is an answer's score; unless given 'score', else the data's first");
  }

  void check() const override {
    if (n_ == 1) throw ConfigError({.field = "n"}, "1", "2 or more answers to compare, or 0 for all of a prompt");
  }

  void observe(const Dataset& dataset) override { resolved_ = score_attribute(dataset, attribute_, "attribute"); }

  void apply(std::span<Record> records, const Stretch&, Sink& sink) const override {
    const std::int32_t annotator = sink.annotator({.kind = Annotator::rule, .id = "pairs/best-worst-of-n"});
    for (Record& record : records) {
      const CompletionMeans scores = scores_of(record, resolved_);
      bool compared = false;
      for (const auto& group : groups_of(record, scores, sink)) {
        const auto of = [&](std::int32_t completion) { return scores.mean(static_cast<std::size_t>(completion)); };
        const auto [worst, best] = std::minmax_element(group.begin(), group.end(),
                                                       [&](std::int32_t a, std::int32_t b) { return of(a) < of(b); });
        if (of(*worst) == of(*best)) {
          sink.count("ties");
          continue;
        }
        const Comparison comparison{.a = {.completion = *best},
                                    .b = {.completion = *worst},
                                    .outcome = Outcome::a,
                                    .strength = of(*best) - of(*worst)};
        record.feedback.push_back({.what = comparison, .annotator = annotator});
        sink.count("comparisons");
        compared = true;
      }
      if (compared) {
        sink.keep(std::move(record));
      } else {
        sink.count("dropped: no comparison");
      }
    }
  }

  // The gap that BoNBoN's square term pulls log-ratios to: (n - 1) H_{n - 1}.
  Json findings() const override {
    double harmonic = 0;
    for (int k = 1; k < n_; ++k) harmonic += 1.0 / k;
    Json json = Json::object({{"attribute", resolved_}});
    if (n_ > 0) json.set("target_gap", (n_ - 1) * harmonic);
    return json;
  }

 private:
  // Scored answers to one prompt, n at a time.
  std::vector<std::vector<std::int32_t>> groups_of(const Record& record, const CompletionMeans& scores,
                                                   Sink& sink) const {
    std::map<std::int32_t, std::vector<std::int32_t>> by_prompt;
    for (std::size_t i = 0; i < record.completions.size(); ++i) {
      if (scores.has(i)) by_prompt[record.completions[i].after].push_back(static_cast<std::int32_t>(i));
    }
    std::vector<std::vector<std::int32_t>> groups;
    for (auto& [prompt, answers] : by_prompt) {
      const std::size_t size = n_ > 0 ? static_cast<std::size_t>(n_) : std::max<std::size_t>(answers.size(), 2);
      for (std::size_t begin = 0; begin < answers.size(); begin += size) {
        if (begin + size > answers.size()) {
          sink.count("answers left over", static_cast<std::int64_t>(answers.size() - begin));
          break;
        }
        const auto first = answers.begin() + static_cast<std::ptrdiff_t>(begin);
        groups.emplace_back(first, first + static_cast<std::ptrdiff_t>(size));
      }
    }
    return groups;
  }
};

ATTUNE_PART(Operator, pairs_best_worst_of_n, BestWorstOfN,
            .summary = "compares the best with the worst of n scored answers to a prompt",
            .formula = "c = argmax score, r = argmin score, strength = their difference",
            .paper =
                "Gui et al. 2024, BoNBoN Alignment for Large Language Models and the Sweetness of Best-of-n Sampling, "
                "arXiv:2406.00832");

}  // namespace attune::curate
