// A reward that is a distribution: how good people find an answer, and how much they differ about it.
#include <ATen/ops/exp.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log1p.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/special_log_ndtr.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/heads/reward_head.h"

namespace attune::heads {
namespace {

// log(1 - exp(x)) for x < 0, to rounding on both ends; x is held below -1e-12, where equal bounds would give -inf.
Tensor log_one_minus_exp(const Tensor& x) {
  const Tensor below = x.clamp_max(-1e-12);
  const Tensor near = below > -std::log(2.0);
  return at::where(near, at::log(-at::expm1(at::where(near, below, -1))),
                   at::log1p(-at::exp(at::where(near, -1, below))));
}

// log(Phi(high) - Phi(low)) for low < high: by the tail on the side where both are small.
Tensor log_normal_between(const Tensor& low, const Tensor& high) {
  const Tensor upper = low + high > 0;
  const Tensor larger = at::special_log_ndtr(at::where(upper, -low, high));
  return larger + log_one_minus_exp(at::special_log_ndtr(at::where(upper, -high, low)) - larger);
}

}  // namespace

class MeanVariance final : public RewardHead {
  double correlation_ = 0;
  double smallest_ = 0.05;
  double slight_ = 0.5, clear_ = 1.5;

 public:
  void describe(Fields& fields) {
    fields("correlation", correlation_,
           "of what people think of two answers to one prompt; above 0, ties are likelier (the paper sets it from how "
           "often labels are ties)")
        .between(-1, 1);
    fields("smallest", smallest_, "added to every standard deviation").above(0);
    fields("slight", slight_, "difference of rewards from which one answer is slightly better").above(0);
    fields("clear", clear_, "difference from which it is much better").above(0);
  }

  void check() const override;

  std::vector<std::string> outputs() const override { return {"mean", "spread"}; }
  Tensor score(const Tensor& outputs) const override { return outputs.select(1, 0); }
  Tensor spread(const Tensor& outputs) const override { return at::softplus(outputs.select(1, 1)) + smallest_; }

  // log Phi(m / s) - log Phi(-m / s).
  Tensor log_odds(const Tensor& a, const Tensor& b) const override {
    const Tensor ratio = (score(a) - score(b)) / deviation(a, b);
    return at::special_log_ndtr(ratio) - at::special_log_ndtr(-ratio);
  }

  // The difference of the rewards in the intervals that -clear, -slight, slight and clear cut the line into.
  Tensor log_verdicts(const Tensor& a, const Tensor& b) const override {
    const Tensor mean = score(a) - score(b), spread = deviation(a, b);
    const auto at_bound = [&](double bound) { return (bound - mean) / spread; };
    const Tensor clear_b = at_bound(-clear_), slight_b = at_bound(-slight_), slight_a = at_bound(slight_),
                 clear_a = at_bound(clear_);
    return at::stack(
        {at::special_log_ndtr(clear_b), log_normal_between(clear_b, slight_b), log_normal_between(slight_b, slight_a),
         log_normal_between(slight_a, clear_a), at::special_log_ndtr(-clear_a)},
        1);
  }

 private:
  // s, with s^2 = sigma_a^2 + sigma_b^2 - 2 correlation sigma_a sigma_b.
  Tensor deviation(const Tensor& a, const Tensor& b) const {
    const Tensor sigma_a = spread(a), sigma_b = spread(b);
    return at::sqrt(sigma_a.square() + sigma_b.square() - 2 * correlation_ * sigma_a * sigma_b);
  }
};

void MeanVariance::check() const {
  if (slight_ < clear_) return;
  throw ConfigError({.field = "clear"}, format_double(clear_), "more than slight (" + format_double(slight_) + ")");
}

ATTUNE_PART(RewardHead, mean_variance, MeanVariance,
            .summary = "the mean of what people think of an answer and how far they are apart",
            .formula = "r ~ N(mu, sigma^2); r_a - r_b ~ N(mu_a - mu_b, sigma_a^2 + sigma_b^2 - 2 rho sigma_a sigma_b)",
            .paper =
                "Zhang et al. 2024, Diverging Preferences: When do Annotators Disagree and do Models Know?, "
                "arXiv:2410.14632, section 4");

}  // namespace attune::heads
