// Whether DPO's implicit reward still prefers the chosen answer on data unlike that of training, beside an explicit
// reward model where its scores are at hand.
#include <algorithm>
#include <cmath>
#include <optional>

#include "attune/base/errors.h"
#include "attune/diagnostics/diagnostic.h"
#include "attune/diagnostics/implicit_reward.h"
#include "attune/diagnostics/score_file.h"

namespace attune::diagnostics {
namespace {

// One data set's pairs and what each reward says of them.
struct SplitRewards {
  std::string name = {};
  std::vector<ComparedPair> pairs = {};
  std::vector<Sides> implicit = {};
  std::optional<std::vector<Sides>> explicit_scores = {};
};

Json interval_json(const Interval& interval) { return Json(Json::Array{interval.low, interval.high}); }

Json accuracy_json(const RewardAccuracy& accuracy) {
  return Json::object({{"accuracy", accuracy.accuracy}, {"interval", interval_json(accuracy.interval)}});
}

std::string points(double share) { return format_double(std::round(1000 * share) / 10) + " points"; }

}  // namespace

enum class Explicit { none, data, files };
constexpr std::array<std::pair<std::string_view, Explicit>, 3> enum_names(Explicit) {
  return {{{"none", Explicit::none}, {"data", Explicit::data}, {"files", Explicit::files}}};
}

class DpoImplicitRmGeneralization final : public Diagnostic {
  Explicit explicit_ = Explicit::none;
  std::vector<std::string> scores_ = {};
  std::int64_t seed_ = 0;

 public:
  void describe(Fields& fields) {
    fields("explicit", explicit_, "the other reward: none, the data's own scores, or files of scores");
    fields("scores", scores_, "with explicit=files: a file of 'attune score' for each --data, in their order");
    fields("seed", seed_, "of the bootstrap").at_least(0);
  }

  Demands demands() const override { return {.most_data = 1'000, .reference = true}; }

  ReportPage run(const Subject& subject) const override {
    if (explicit_ == Explicit::files && scores_.size() != subject.data.size()) {
      throw ConfigError({.field = "scores"}, std::to_string(scores_.size()) + " files",
                        std::to_string(subject.data.size()) + ", one for each --data");
    }
    std::vector<SplitRewards> splits;
    for (std::size_t i = 0; i < subject.data.size(); ++i) {
      const auto& records = subject.data[i].records;
      splits.push_back({.name = subject.data[i].name, .pairs = compared_pairs(records)});
      if (explicit_ == Explicit::data) splits[i].explicit_scores = data_scores(records, splits[i].pairs);
      if (explicit_ == Explicit::files) splits[i].explicit_scores = read_scores(scores_[i], records, splits[i].pairs);
    }
    add_logps(subject, subject.models.front(), splits, 1);
    add_logps(subject, *subject.reference, splits, -1);
    return page_of(splits);
  }

 private:
  // The implicit reward is log pi - log ref; beta does not change which answer it prefers.
  static void add_logps(const Subject& subject, const ModelSource& source, std::vector<SplitRewards>& splits,
                        double sign) {
    LanguageModel model = source.load();
    for (std::size_t i = 0; i < splits.size(); ++i) {
      const auto logps = pair_logps(model, subject.data[i].records, splits[i].pairs, subject.batch_tokens);
      splits[i].implicit.resize(logps.size());
      for (std::size_t k = 0; k < logps.size(); ++k) {
        splits[i].implicit[k].chosen += sign * logps[k].chosen;
        splits[i].implicit[k].rejected += sign * logps[k].rejected;
      }
    }
  }

  ReportPage page_of(const std::vector<SplitRewards>& splits) const {
    const auto seed = static_cast<std::uint64_t>(seed_);
    ReportPage page{.title = "The implicit reward on other data"};
    Json rows = Json::array();
    Chart chart{.title = "Accuracy, 95 % bootstrap intervals"};
    const double home = reward_accuracy(splits.front().implicit, seed).accuracy;
    for (const SplitRewards& split : splits) {
      const RewardAccuracy implicit = reward_accuracy(split.implicit, seed);
      Json row = Json::object({{"data", split.name},
                               {"pairs", split.pairs.size()},
                               {"implicit", accuracy_json(implicit)},
                               {"drop", home - implicit.accuracy}});
      std::string line = split.name + ": the implicit reward is right in " + percent(implicit.accuracy) + " of " +
                         std::to_string(split.pairs.size()) + " pairs";
      chart.bars.push_back(bar(split.name + ", implicit", implicit));
      if (split.explicit_scores) {
        const RewardAccuracy other = reward_accuracy(*split.explicit_scores, seed);
        const RewardGap gap = reward_gap(*split.explicit_scores, split.implicit, seed);
        row.set("explicit", accuracy_json(other));
        row.set("gap", gap.gap);
        row.set("gap_interval", interval_json(gap.interval));
        row.set("only_explicit", gap.only_first);
        row.set("only_implicit", gap.only_second);
        row.set("mcnemar_p", gap.p);
        line += ", the explicit one in " + percent(other.accuracy) + ": a gap of " + points(gap.gap) +
                " (95 %: " + points(gap.interval.low) + " to " + points(gap.interval.high) + ", McNemar p " +
                format_double(gap.p) + ")";
        chart.bars.push_back(bar(split.name + ", explicit", other));
      }
      rows.push_back(std::move(row));
      page.lines.push_back(line + ".");
    }
    page.json = Json::object({{"name", "dpo-implicit-rm-generalization"}, {"splits", std::move(rows)}});
    page.charts.push_back(std::move(chart));
    return page;
  }

  static Bar bar(std::string label, const RewardAccuracy& accuracy) {
    return {.label = std::move(label), .value = accuracy.accuracy, .interval = accuracy.interval, .has_interval = true};
  }
};

ATTUNE_PART(Diagnostic, dpo_implicit_rm_generalization, DpoImplicitRmGeneralization,
            .summary = "how far DPO's implicit reward generalises, beside an explicit reward model's scores",
            .formula =
                "accuracy = mean 1[r(c) > r(r)], a tie 1/2, r = log pi - log ref; gap = explicit - implicit on the "
                "same pairs, bootstrap interval, exact McNemar test",
            .paper =
                "Lin et al. 2024, On the Limited Generalization Capability of the Implicit Reward Model Induced by "
                "DPO, arXiv:2409.03650");

}  // namespace attune::diagnostics
