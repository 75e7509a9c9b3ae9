// Verbosity bias: how much oftener a judge is wrong where people prefer the shorter answer.
#include <cmath>

#include "attune/evals/opinions.h"
#include "attune/statistics/answers.h"

namespace attune::evals {
namespace {

double words_in(const std::string& text) {
  std::size_t count = 0;
  bool inside = false;
  for (const char byte : text) {
    const bool space = byte == ' ' || (byte >= '\t' && byte <= '\r');
    if (!space && !inside) ++count;
    inside = !space;
  }
  return static_cast<double>(count);
}

struct Judged {
  double wrong = 0;      // 1, 0, or between where orders disagree or it was a tie
  bool shorter = false;  // people prefer the shorter answer
};

// P(wrong | people prefer the shorter) - P(wrong | people prefer the longer).
double bias_of(std::span<const Judged> items) {
  double wrong[2] = {}, count[2] = {};
  for (const Judged& item : items) {
    wrong[item.shorter ? 1 : 0] += item.wrong;
    count[item.shorter ? 1 : 0] += 1;
  }
  return count[0] > 0 && count[1] > 0 ? wrong[1] / count[1] - wrong[0] / count[0] : NAN;
}

class VerbosityBias final : public Eval {
  IntervalOptions interval_;

 public:
  void describe(Fields& fields) { interval_.describe(fields); }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "Verbosity bias"};
    const Opinions opinions(input);
    opinions.report(result);
    const Dataset& dataset = input.data.dataset();
    std::vector<Judged> items;
    Share judge_longer, people_longer;
    for (std::size_t r = 0; r < dataset.records.size(); ++r) {
      const Record& record = dataset.records[r];
      for (const Pair& pair : pairs(record)) {
        const auto said = opinions.said(r, pair.chosen, pair.rejected);
        const double difference =
            words_in(completion_text(record, record.completions[static_cast<std::size_t>(pair.chosen)])) -
            words_in(completion_text(record, record.completions[static_cast<std::size_t>(pair.rejected)]));
        if (said.empty() || difference == 0) {
          result.leave_out(said.empty() ? "pairs without scores of both answers or a verdict" : "pairs of equal length",
                           record_address(dataset, r));
          continue;
        }
        const double won = plain_mean(said);
        items.push_back({.wrong = 1 - won, .shorter = difference < 0});
        people_longer.add(difference > 0);
        judge_longer.successes += difference > 0 ? won : 1 - won;
        judge_longer.trials += 1;
      }
    }
    result.score = bias_of(items);
    if (std::isnan(result.score)) {
      input.data.refuse("no pairs of both kinds",
                        "some where people prefer the longer answer and some the shorter one");
    }
    result.n = items.size();
    result.interval = interval_
                          .of(items.size(),
                              [&](std::span<const std::size_t> drawn) {
                                std::vector<Judged> sample;
                                for (const std::size_t i : drawn) sample.push_back(items[i]);
                                return bias_of(sample);
                              })
                          .interval;
    double agreement = 0;
    for (const Judged& item : items) agreement += (1 - item.wrong) / static_cast<double>(items.size());
    result.parts = Json::object({{"agreement", agreement},
                                 {"judge_prefers_longer", judge_longer.value()},
                                 {"people_prefer_longer", people_longer.value()}});
    return result;
  }
};

}  // namespace

ATTUNE_PART(Eval, verbosity_bias, VerbosityBias,
            .summary = "how much oftener a judge or reward model is wrong where people prefer the shorter answer",
            .formula = "P(j != h | h is the shorter) - P(j != h | h is the longer); length in words; ties half",
            .paper = "Saito et al. 2023, Verbosity bias in preference labeling, arXiv 2310.10076");

}  // namespace attune::evals
