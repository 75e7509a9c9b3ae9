// DOVE, later JPO: preferences between instruction-response pairs whose instructions may differ.
#include "attune/objectives/dpo.h"

namespace attune::objectives {

class Dove final : public SigmoidPair {
  bool joint_ = true;

 public:
  void describe(Fields& fields) {
    SigmoidPair::describe(fields);
    fields("joint", joint_, "score instruction and response; false: the response given its own instruction only");
  }

  Needs needs() const override {
    Needs needs = SigmoidPair::needs();
    needs.whole = joint_;
    return needs;
  }

  // The authors' release scores responses only unless told otherwise; between different instructions that leaves out
  // the difference of their partition functions.
  void layout(const RecordView& record, Layout& layout) const override {
    const Extent extent = joint_ ? Extent::whole : Extent::answer;
    for (const auto& preference : record.preferences) {
      if (!wants(record, preference)) continue;
      const auto chosen = layout.add(record, preference.chosen, ResponseRole::chosen, extent);
      const auto rejected = layout.add(record, preference.rejected, ResponseRole::rejected, extent);
      layout.pair(chosen, rejected, preference);
    }
  }
};

ATTUNE_PART(Objective, dove, Dove,
            .summary = "DPO between whole conversations, also when the two answer different instructions",
            .formula = "-log sigmoid(beta (u(I_c, R_c) - u(I_r, R_r))),  u(I, R) = log pi(I, R) - log ref(I, R)",
            .paper =
                "Bansal et al. 2024, Comparing Bad Apples to Good Oranges: Aligning Large Language Models via Joint "
                "Preference Optimization, arXiv:2404.00530");

}  // namespace attune::objectives
