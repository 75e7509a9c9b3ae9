// Binary Classifier Optimization.
#include <ATen/ops/clamp.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log_sigmoid.h>

#include <array>

#include "attune/base/errors.h"
#include "attune/objectives/unpaired.h"

namespace attune::objectives {

enum class Shift { pooled, balanced };
constexpr auto enum_names(Shift) {
  return std::array{std::pair{std::string_view("pooled"), Shift::pooled},
                    std::pair{std::string_view("balanced"), Shift::balanced}};
}

class Bco final : public Objective {
  double beta_ = 0.1;
  Shift shift_ = Shift::balanced;
  double decay_ = 1;
  double min_weight_ = 0.5;
  double max_weight_ = 10;

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "strength of the pull to the reference").above(0);
    fields("shift", shift_,
           "middle of the mean rewards of good and bad answers (balanced), or the mean over all answers "
           "(pooled, as TRL); the same where there are as many of both");
    fields("decay", decay_,
           "what a step's rewards keep of their say in the shift, each step; 1: all steps count alike, "
           "as in TRL")
        .within(0, 1);
    fields("min_weight", min_weight_, "least weight of a bad answer (density ratios of prompts)").at_least(0);
    fields("max_weight", max_weight_, "greatest weight of a bad answer").above(0);
  }

  void check() const override {
    if (min_weight_ <= max_weight_) return;
    throw ConfigError({.field = "min_weight"}, format_double(min_weight_),
                      "at most max_weight, " + format_double(max_weight_));
  }

  Needs needs() const override { return {.models = {"reference"}, .statistics = true, .gathered = good_and_bad}; }
  std::string data() const override { return opinions_data; }
  void layout(const RecordView& record, Layout& layout) const override { lay_out_opinions(record, layout); }

  Statistics gather(const Responses& responses) const override {
    Statistics statistics;
    gather_mean(statistics, "good", beta_ * answers(responses, ResponseRole::chosen, "reference").log_ratio);
    gather_mean(statistics, "bad", beta_ * answers(responses, ResponseRole::rejected, "reference").log_ratio);
    return statistics;
  }

  // The shift knows the step it is used in, and every one before it.
  Statistics update(const Statistics& previous, Statistics step) const override {
    Statistics faded;
    for (const auto& [name, sum] : previous.sums) faded.sums[name] = decay_ * sum;
    faded.merge(step);
    return faded;
  }

  // Jung et al. 2024: good -log sigmoid(r - delta), bad -w log sigmoid(-(r - delta)), r = beta (log pi - log
  // reference); delta = (mean r of the good + mean r of the bad) / 2, without gradient. w is the density ratio of the
  // prompts, which the data brings as the weight of the feedback.
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress&) const override {
    const auto good = answers(responses, ResponseRole::chosen, "reference");
    auto bad = answers(responses, ResponseRole::rejected, "reference");
    bad.weight = at::clamp(bad.weight, min_weight_, max_weight_);
    const Tensor delta = shift(statistics, responses.logps);
    Loss loss;
    loss.terms.push_back(opinions_term("bco", good, -at::log_sigmoid(beta_ * good.log_ratio - delta), bad,
                                       -at::log_sigmoid(delta - beta_ * bad.log_ratio)));
    add_unpaired_metrics(loss.metrics, good, bad, beta_);
    loss.metrics.add("delta", delta, 1);
    return loss;
  }

 private:
  Tensor shift(const Statistics& statistics, const Tensor& like) const {
    const GatheredMean good = gathered_mean(statistics, "good", like), bad = gathered_mean(statistics, "bad", like);
    // As long as one kind was never seen, the other one alone decides.
    const Tensor good_share = shift_ == Shift::pooled ? good.count : (good.count > 0).to(like.scalar_type());
    const Tensor bad_share = shift_ == Shift::pooled ? bad.count : (bad.count > 0).to(like.scalar_type());
    return (good_share * good.mean + bad_share * bad.mean) / at::clamp_min(good_share + bad_share, 1e-12);
  }
};

ATTUNE_PART(Objective, bco, Bco,
            .summary = "trains the implicit reward as a classifier of good and bad answers, around a running shift",
            .formula =
                "good: -log sigmoid(r - delta); bad: -w log sigmoid(delta - r); r = beta (log pi - log ref), "
                "delta = running mean of r",
            .paper =
                "Jung et al. 2024, Binary Classifier Optimization for Large Language Model Alignment, "
                "arXiv:2404.04656");

}  // namespace attune::objectives
