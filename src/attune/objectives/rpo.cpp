// Reward-aware preference optimisation: the implicit reward difference is to equal the data's.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

enum class RpoDistance { squared, backward_kl, forward_kl };
constexpr auto enum_names(RpoDistance) {
  return std::array{std::pair{std::string_view("squared"), RpoDistance::squared},
                    std::pair{std::string_view("backward_kl"), RpoDistance::backward_kl},
                    std::pair{std::string_view("forward_kl"), RpoDistance::forward_kl}};
}

class Rpo final : public PairObjective {
  RpoDistance distance_ = RpoDistance::backward_kl;
  double reward_scale_ = 1;

 public:
  Rpo() : PairObjective({.beta = 0.2}) {}  // NeMo-Aligner's ref_policy_kl_penalty

  void describe(Fields& fields) {
    describe_beta(fields);
    fields("distance", distance_, "NeMo-Aligner's rpo_sq, rpo_bwd_kl and rpo_fwd_kl; the paper's is backward_kl");
    fields("reward_scale", reward_scale_, "factor of the data's score difference (gt_reward_scale, the paper's eta)")
        .above(0);
    describe_sides(fields);
  }

  std::string data() const override { return "comparisons whose answers have scores"; }

  // Adler et al. 2024, x = beta (u_c - u_r), g = reward_scale (score_c - score_r): (x - g)^2,
  // KL(sigmoid(g) || sigmoid(x)) or KL(sigmoid(x) || sigmoid(g)), of Bernoulli distributions. Labels play no part.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const PairScores s = scores(responses);
    const Tensor x = beta() * (s.chosen - s.rejected), g = reward_scale_ * score_gap(responses);
    return loss("rpo", s,
                distance_ == RpoDistance::squared       ? squared(x - g)
                : distance_ == RpoDistance::backward_kl ? bernoulli_kl(g, x)
                                                        : bernoulli_kl(x, g));
  }

 private:
  bool wants(const RecordView& record, const RecordView::Preference& preference) const override {
    return both_scored(record, preference);
  }
};

ATTUNE_PART(
    Objective, rpo, Rpo, .summary = "fits the implicit reward difference of a pair to the data's score difference",
    .formula =
        "D(reward_scale (score_c - score_r), beta (u_c - u_r)),  u = log pi - log ref,  D squared or a Bernoulli KL",
    .paper =
        "Adler et al. 2024, Nemotron-4 340B Technical Report, arXiv:2406.11704; Sun et al. 2025, arXiv:2502.00203");

}  // namespace attune::objectives
