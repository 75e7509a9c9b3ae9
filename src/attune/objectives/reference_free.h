// Losses on pairs that need no reference: the score of a side is log pi itself, most often beside the likelihood of the
// answer to imitate.
#pragma once

#include <optional>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

enum class Link { sigmoid, hinge, ipo };
constexpr auto enum_names(Link) {
  return std::array{std::pair{std::string_view("sigmoid"), Link::sigmoid},
                    std::pair{std::string_view("hinge"), Link::hinge}, std::pair{std::string_view("ipo"), Link::ipo}};
}

// -log sigmoid(beta x), max(0, 1 - beta x) or (x - 1 / (2 beta))^2.
Tensor link_value(Link link, double beta, const Tensor& x);

class ReferenceFreePair : public PairObjective {
 protected:
  ReferenceFreePair(double beta, Length length, double sft_weight)
      : PairObjective({.reference = false, .beta = beta, .length = length}), sft_weight_(sft_weight) {}

  void describe_free(Fields& fields) {
    describe_beta(fields, "scale of the reward");
    describe_smoothing(fields);
    fields("sft_weight", sft_weight_, "weight of the likelihood of the answer to imitate, a token (TRL's *_alpha)")
        .at_least(0);
  }
  // Moves s_c by `offset`, takes the link of the difference, and adds the likelihood of `imitated`.
  Loss loss_above(const char* name, const Responses& responses, PairScores scores, Link link, double offset,
                  ResponseRole imitated = ResponseRole::chosen) const;

  double sft_weight_;
};

// SimPO, and AlphaPO, which bends its reward.
class LengthNormalisedPair : public ReferenceFreePair {
 public:
  // ConfigError when the margin is given in both spellings.
  void check() const override;

 protected:
  LengthNormalisedPair(double beta, double alpha, double gamma_beta_ratio)
      : ReferenceFreePair(beta, Length::mean, 0), alpha_(alpha), default_ratio_(gamma_beta_ratio) {}

  void describe_margin(Fields& fields);
  Loss shaped_loss(const char* name, const Responses& responses) const;

  double alpha_;

 private:
  Tensor shaped(const Tensor& mean_log_p) const;

  double default_ratio_;
  std::optional<double> gamma_ = {}, gamma_beta_ratio_ = {};
};

}  // namespace attune::objectives
