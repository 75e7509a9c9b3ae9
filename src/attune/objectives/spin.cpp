// Self-play fine-tuning: a demonstration against the policy's own answers to the same prompt.
#include "attune/objectives/dpo.h"

namespace attune::objectives {

class Spin final : public SigmoidPair {
 public:
  Needs needs() const override {
    Needs needs = SigmoidPair::needs();
    needs.reference_answers = true;
    return needs;
  }
  std::string data() const override {
    return "demonstrations beside samples of the policy, or comparisons of a demonstration and a sample";
  }

  // A record without comparisons makes its own: the gold answer over every sample.
  void layout(const RecordView& record, Layout& layout) const override {
    std::vector<RecordView::Preference> pairs;
    if (record.preferences.empty() && record.reference_answer >= 0) {
      for (const std::int32_t sample : samples_of(record)) {
        pairs.push_back({.chosen = record.reference_answer, .rejected = sample});
      }
    }
    RecordView view = record;
    if (!pairs.empty()) view.preferences = pairs;
    SigmoidPair::layout(view, layout);
  }
};

ATTUNE_PART(
    Objective, spin, Spin,
    .summary = "tells demonstrations from the policy's own answers until they cannot be told apart",
    .formula = "-log sigmoid(beta (u_demonstration - u_sample)),  u = log pi - log ref, ref the policy that sampled",
    .paper =
        "Chen et al. 2024, Self-Play Fine-Tuning Converts Weak Language Models to Strong Language Models, "
        "arXiv:2401.01335");

}  // namespace attune::objectives
