// One number.
#include "attune/heads/reward_head.h"

namespace attune::heads {

class Scalar final : public RewardHead {
 public:
  void describe(Fields&) {}
  std::vector<std::string> outputs() const override { return {"reward"}; }
  Tensor score(const Tensor& outputs) const override { return outputs.select(1, 0); }
};

ATTUNE_PART(RewardHead, scalar, Scalar, .summary = "one number: the reward",
            .formula = "P(a preferred to b) = sigmoid(r_a - r_b)",
            .paper =
                "Bradley and Terry 1952, Rank Analysis of Incomplete Block Designs; as a reward: Stiennon et al. "
                "2020, Learning to Summarize from Human Feedback, arXiv:2009.01325");

}  // namespace attune::heads
