// Several qualities, each a rating of its own.
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/heads/reward_head.h"

namespace attune::heads {

class Attributes final : public RewardHead {
  std::vector<std::string> names_ = {"helpfulness"};
  std::vector<double> weights_ = {};

 public:
  void describe(Fields& fields) {
    fields("names", names_, "the attributes that are predicted, in order");
    fields("weights", weights_, "of each attribute in the score; none given: the first attribute alone is the score");
  }

  void check() const override {
    if (names_.empty()) throw ConfigError({.field = "names"}, "no attributes", "at least one");
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (std::count(names_.begin(), names_.end(), names_[i]) > 1) {
        throw ConfigError({.field = "names"}, "an attribute twice", "each once");
      }
    }
    if (!weights_.empty() && weights_.size() != names_.size()) {
      throw ConfigError(
          {.field = "weights"},
          std::to_string(weights_.size()) + " weights of " + std::to_string(names_.size()) + " attributes",
          "one of each, or none");
    }
  }

  std::vector<std::string> outputs() const override { return names_; }
  std::vector<std::string> attributes() const override { return names_; }
  Tensor score(const Tensor& outputs) const override {
    if (weights_.empty()) return outputs.select(1, 0);
    return at::matmul(outputs, at::tensor(weights_, at::kDouble).to(outputs.options()));
  }
};

ATTUNE_PART(RewardHead, attributes, Attributes,
            .summary = "a rating for each of several qualities, and their weighted sum",
            .formula = "r = sum_k w_k f_k(x, y)",
            .paper = "Wang et al. 2023, HelpSteer: Multi-attribute Helpfulness Dataset for SteerLM, arXiv:2311.09528");

}  // namespace attune::heads
