// A distribution over the levels of a scale.
#include <ATen/ops/arange.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>

#include "attune/base/errors.h"
#include "attune/heads/reward_head.h"

namespace attune::heads {

class Ratings final : public RewardHead {
  int low_ = 0, high_ = 4;

 public:
  void describe(Fields& fields) {
    fields("low", low_, "the lowest rating");
    fields("high", high_, "the highest rating");
  }

  void check() const override;

  std::vector<std::string> outputs() const override {
    std::vector<std::string> names;
    for (int level = low_; level <= high_; ++level) names.push_back("rating " + std::to_string(level));
    return names;
  }
  std::vector<double> levels() const override {
    std::vector<double> levels;
    for (int level = low_; level <= high_; ++level) levels.push_back(level);
    return levels;
  }

  Tensor log_ratings(const Tensor& outputs) const override { return at::log_softmax(outputs, 1); }
  // The expected rating, and the standard deviation of the ratings.
  Tensor score(const Tensor& outputs) const override { return at::matmul(log_ratings(outputs).exp(), scale(outputs)); }
  Tensor spread(const Tensor& outputs) const override {
    const Tensor from_mean = scale(outputs).unsqueeze(0) - score(outputs).unsqueeze(1);
    return (log_ratings(outputs).exp() * from_mean.square()).sum(1).sqrt();
  }

 private:
  Tensor scale(const Tensor& like) const { return at::arange(low_, high_ + 1, like.options()); }
};

void Ratings::check() const {
  if (low_ < high_ && high_ - low_ < 1000) return;
  throw ConfigError({.field = "high"}, std::to_string(high_), "more than low, by less than 1000");
}

ATTUNE_PART(RewardHead, ratings, Ratings, .summary = "a probability for each level of a rating scale",
            .formula = "p = softmax(f(x, y)); r = sum_k k p_k",
            .paper =
                "Zhang et al. 2024, Diverging Preferences: When do Annotators Disagree and do Models Know?, "
                "arXiv:2410.14632, section 4 (classification)");

}  // namespace attune::heads
