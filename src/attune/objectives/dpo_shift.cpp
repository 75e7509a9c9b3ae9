// DPO-Shift: DPO whose rejected side counts less, so that the chosen answer's likelihood falls less or rises.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

enum class ShiftSchedule { fixed, increase_linear, decrease_linear };
constexpr auto enum_names(ShiftSchedule) {
  return std::array{std::pair{std::string_view("fixed"), ShiftSchedule::fixed},
                    std::pair{std::string_view("increase_linear"), ShiftSchedule::increase_linear},
                    std::pair{std::string_view("decrease_linear"), ShiftSchedule::decrease_linear}};
}

class DpoShift final : public PairObjective {
  double factor_ = 0.75, factor_min_ = 0.5, factor_max_ = 1;
  ShiftSchedule schedule_ = ShiftSchedule::fixed;

 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    fields("factor", factor_, "of the rejected side where the schedule is fixed; 1 is dpo, 0.75 to 0.95 are usual")
        .within(1e-6, 1);
    fields("schedule", schedule_, "how the factor moves between factor_min and factor_max over the run");
    fields("factor_min", factor_min_, "lowest factor of a moving schedule").within(1e-6, 1);
    fields("factor_max", factor_max_, "highest factor of a moving schedule").within(1e-6, 1);
    describe_smoothing(fields);
    describe_sides(fields);
  }

  void check() const override {
    if (factor_min_ <= factor_max_) return;
    throw ConfigError({.field = "factor_min"}, "a factor_min above factor_max", "at most factor_max");
  }

  // Yang et al. 2025: -log sigmoid(beta u_c - f beta u_r).
  Loss compute(const Responses& responses, const Statistics&, const Progress& progress) const override {
    const double f = factor(progress.fraction);
    return loss("dpo_shift", responses, [this, f](const Tensor& chosen, const Tensor& rejected) {
      return logistic(beta() * (chosen - f * rejected));
    });
  }

 private:
  double factor(double fraction) const {
    if (schedule_ == ShiftSchedule::fixed) return factor_;
    const double s = schedule_ == ShiftSchedule::increase_linear ? fraction : 1 - fraction;
    return factor_min_ + (factor_max_ - factor_min_) * s;
  }
};

ATTUNE_PART(
    Objective, dpo_shift, DpoShift,
    .summary = "trades reward margin for likelihood of the chosen answer by scaling the rejected side down",
    .formula = "-log sigmoid(beta u_c - f beta u_r),  u = log pi - log ref,  f constant or linear over the run",
    .paper =
        "Yang et al. 2025, DPO-Shift: Shifting the Distribution of Direct Preference Optimization, arXiv:2502.07599");

}  // namespace attune::objectives
