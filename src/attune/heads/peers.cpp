// Two scores of one answer that check each other's work.
#include "attune/heads/reward_head.h"

namespace attune::heads {

class Peers final : public RewardHead {
 public:
  void describe(Fields&) {}
  std::vector<std::string> outputs() const override { return {"first", "second"}; }
  std::vector<std::string> attributes() const override { return outputs(); }
  Tensor score(const Tensor& outputs) const override { return outputs.mean(1); }
};

ATTUNE_PART(RewardHead, peers, Peers, .summary = "two scores, each trained on what the other believes; their mean",
            .formula = "r = (r_1 + r_2) / 2",
            .paper =
                "Zhang et al. 2025, Two Minds Better Than One: Collaborative Reward Modeling for LLM Alignment, "
                "arXiv:2505.10597");

}  // namespace attune::heads
