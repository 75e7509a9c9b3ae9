// Preferences that need not be transitive: answers as vectors, compared by a skew-symmetric form.
#include "attune/heads/reward_head.h"

namespace attune::heads {

class Gpm final : public RewardHead {
  int planes_ = 1;
  double temperature_ = 0.1;

 public:
  void describe(Fields& fields) {
    fields("planes", planes_, "half the length of an answer's vector").within(1, 1024);
    fields("temperature", temperature_, "what preferences are divided by").above(0);
  }

  std::vector<std::string> outputs() const override {
    std::vector<std::string> names;
    for (int plane = 0; plane < planes_; ++plane) {
      names.push_back("x" + std::to_string(plane));
      names.push_back("y" + std::to_string(plane));
    }
    return names;
  }
  Tensor score(const Tensor&) const override { return {}; }

  // (R v_a) . v_b / temperature, R turning each plane by a quarter: for one plane v_a[0] v_b[1] - v_a[1] v_b[0].
  Tensor log_odds(const Tensor& a, const Tensor& b) const override {
    const Tensor x = a.view({-1, planes_, 2}), y = b.view({-1, planes_, 2});
    return (x.select(2, 0) * y.select(2, 1) - x.select(2, 1) * y.select(2, 0)).sum(1) / temperature_;
  }
};

ATTUNE_PART(RewardHead, gpm, Gpm,
            .summary = "vectors whose preferences may go round in circles (general preference model)",
            .formula = "log-odds(a over b) = (R v_a) . v_b / temperature, R = blocks of [[0, -1], [1, 0]]",
            .paper =
                "Zhang et al. 2024, General Preference Modeling with Preference Representations for Aligning "
                "Language Models, arXiv:2410.02197, section 4");

}  // namespace attune::heads
