// Whether reward models of an ensemble agree, and whether their disagreement says where they are wrong.
#include <cmath>

#include "attune/base/errors.h"
#include "attune/evals/opinions.h"
#include "attune/statistics/answers.h"
#include "attune/stats/calibration.h"

namespace attune::evals {
namespace {

class EnsembleDisagreement final : public Eval {
  std::vector<std::string> members_ = {};
  IntervalOptions interval_;

  // Of one pair: the members' margins.
  static double deviation(const std::vector<double>& values) {
    const double mean = plain_mean(values);
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / static_cast<double>(values.size() - 1));
  }

  static double agreement(const std::vector<double>& margins) {
    double equal = 0, all = 0;
    for (std::size_t i = 0; i < margins.size(); ++i) {
      for (std::size_t j = i + 1; j < margins.size(); ++j) {
        equal += (margins[i] > 0) == (margins[j] > 0) ? 1 : 0;
        all += 1;
      }
    }
    return equal / all;
  }

 public:
  void describe(Fields& fields) {
    fields("members", members_, "files of scores of the other members beside --scores").required();
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    if (input.scores.empty()) throw UsageError({}, "no --scores", "a file of the first member's scores");
    EvalResult result{.title = "Agreement of the members on pairs (%)"};
    std::vector<JoinedScores> members;
    members.emplace_back(input.data, input.scores);
    for (const std::string& file : members_) members.emplace_back(input.data, file);
    if (members.size() < 2) throw UsageError({}, "one member", "several: members=[FILE, ...]");
    for (const JoinedScores& member : members) member.report(result);
    const Dataset& dataset = input.data.dataset();
    std::vector<double> agreements;
    std::vector<Forecast> errors;  // the spread as a forecast that the mean is wrong
    std::vector<Share> right(members.size());
    Share mean_right;
    for (std::size_t r = 0; r < dataset.records.size(); ++r) {
      for (const Pair& pair : pairs(dataset.records[r])) {
        const auto chosen = static_cast<std::size_t>(pair.chosen), rejected = static_cast<std::size_t>(pair.rejected);
        std::vector<double> margins;
        for (const JoinedScores& member : members) {
          if (member.has(r, chosen) && member.has(r, rejected))
            margins.push_back(member.at(r, chosen) - member.at(r, rejected));
        }
        if (margins.size() < members.size()) {
          result.leave_out("pairs that a member has no scores of", record_address(dataset, r));
          continue;
        }
        for (std::size_t m = 0; m < margins.size(); ++m) right[m].add(margins[m] > 0);
        const bool wrong = plain_mean(margins) <= 0;
        mean_right.add(!wrong);
        agreements.push_back(100 * agreement(margins));
        errors.push_back({deviation(margins), wrong ? 1.0 : 0.0});
      }
    }
    if (agreements.empty()) input.data.refuse("no pair that all members scored", "at least one");
    result.score = plain_mean(agreements);
    result.n = agreements.size();
    result.interval = interval_.of_mean(agreements).interval;
    Json accuracies = Json::array();
    for (const Share& share : right) accuracies.push_back(100 * share.value());
    std::vector<double> spreads;
    for (const Forecast& error : errors) spreads.push_back(error.probability);
    result.parts = Json::object({{"members", members.size()},
                                 {"accuracies", std::move(accuracies)},
                                 {"accuracy_of_mean", 100 * mean_right.value()},
                                 {"mean_spread", plain_mean(spreads)},
                                 {"auroc_spread_finds_errors", area_under_curve(errors)}});
    return result;
  }
};

}  // namespace

ATTUNE_PART(Eval, ensemble_disagreement, EnsembleDisagreement,
            .summary = "whether several reward models agree on pairs, and whether their spread finds the mean's errors",
            .formula =
                "mean over pairs and pairs of members of [same order]; AUROC of the standard deviation of margins "
                "for [mean margin <= 0]",
            .paper = "Eisenstein et al. 2023, Helping or herding?, arXiv 2312.09244");

}  // namespace attune::evals
