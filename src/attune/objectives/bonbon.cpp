// BoNBoN: imitates best-of-n sampling from the best and the worst of n reference samples.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Bonbon final : public PairObjective {
  int n_ = 8;
  double alpha_ = 0.005;

 public:
  void describe(Fields& fields) {
    fields("n", n_, "samples a prompt that best and worst were taken from").at_least(2);
    fields("alpha", alpha_, "weight of the best answer's likelihood; the contrastive part has 1 - alpha").within(0, 1);
    describe_sides(fields);
  }

  std::string data() const override {
    return "comparisons of the best with the worst of n samples, or n scored samples";
  }

  void layout(const RecordView& record, Layout& layout) const override {
    if (!record.preferences.empty()) return PairObjective::layout(record, layout);
    const auto extremes = best_and_worst(record);
    if (!extremes) return;
    RecordView view = record;
    view.preferences = std::span(&*extremes, 1);
    PairObjective::layout(view, layout);
  }

  // Gui et al. 2024, section 4: alpha (-log pi(best)) + (1 - alpha) (u_best - u_worst - gap)^2, sums over tokens. The
  // gap 1 / (2 beta_n) = (n - 1) H_(n-1) is the mean of log p_n(best) - log p_n(worst) over the reference, so that beta
  // needs no tuning. The authors' released branch takes DPO's sigmoid in the second part; this is the paper's square.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const PairScores s = scores(responses);
    const double gap = best_of_n_gap(n_);
    Loss result =
        loss("bonbon", s,
             expected(s, [gap](const Tensor& best, const Tensor& worst) { return squared(best - worst - gap); }));
    result.terms[0].weight = 1 - alpha_;
    const Tensor nll = -(s.weight * s.sides.chosen).sum();
    result.terms.push_back({.name = "best", .sum = nll, .per = Per::pair, .weight = alpha_});
    const auto pairs = static_cast<double>(responses.pairs.size());
    result.metrics.add("bonbon/contrast", result.terms[0].sum, pairs);
    result.metrics.add("bonbon/best_nll", nll, pairs);
    return result;
  }

 private:
  static double best_of_n_gap(int n) {
    double harmonic = 0;
    for (int k = 1; k < n; ++k) harmonic += 1.0 / k;
    return (n - 1) * harmonic;
  }
};

ATTUNE_PART(
    Objective, bonbon, Bonbon, .summary = "learns in one model what best-of-n sampling of the reference gives",
    .formula = "-alpha log pi(best) + (1 - alpha) (u_best - u_worst - (n - 1) H_(n-1))^2,  u = log pi - log ref",
    .paper =
        "Gui et al. 2024, BoNBoN Alignment for Large Language Models and the Sweetness of Best-of-n Sampling, "
        "arXiv:2406.00832");

}  // namespace attune::objectives
