// MAPL: preferences between prompts and between gaps, beside those between answers.
//
// A comparison of one answer under two prompts is a comparison like any other: its completions differ before the
// answer. A record of several comparisons is one question in several forms: the first is the original, in each further
// one the constraints added to the prompt widen the gap between the same two answers (a probability below 1/2: narrow
// it).
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

class Mapl final : public PairObjective {
  double gap_weight_ = 1;

 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    fields("gap_weight", gap_weight_,
           "weight of the gaps' term; 0: comparisons of a record after the first are left out")
        .at_least(0);
    describe_smoothing(fields);
    describe_sides(fields);
  }

  std::string data() const override {
    return "comparisons of answers or of prompts; further comparisons of a record are of the same answers under "
           "constraints";
  }

  void layout(const RecordView& record, Layout& layout) const override {
    for (std::size_t i = 0; i < record.preferences.size(); ++i) {
      if (i > 0 && gap_weight_ == 0) return;
      const auto& preference = record.preferences[i];
      const bool original = i == 0;
      const auto chosen =
          layout.add(record, preference.chosen, original ? ResponseRole::chosen : ResponseRole::variant);
      const auto rejected =
          layout.add(record, preference.rejected, original ? ResponseRole::rejected : ResponseRole::variant);
      layout.pair(chosen, rejected, preference);
    }
  }

  // With d = u_c - u_r: -log sigmoid(beta d) of originals and of prompts, -log sigmoid(beta (d' - d)) of gaps; a mean
  // over all comparisons. The implicit reward leaves out the prompts' partition functions, which cancel within a
  // comparison of answers and between the two d of a gap, but not between two prompts: there it is an approximation.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const PairScores s = scores(responses);
    const Tensor d = s.chosen - s.rejected;
    const auto [original, is_gap] = originals(responses);
    const Tensor x = beta() * (d - is_gap * d.index_select(0, original));
    const Tensor values = logistic(x, s.probability);
    Loss result = loss("preferences", s, (1 - is_gap) * values);
    const Tensor gaps = (s.weight * is_gap * values).sum();
    result.terms.push_back({.name = "gaps", .sum = gaps, .per = Per::pair, .weight = gap_weight_});
    return result;
  }

 private:
  // Of each pair the index of its record's original, and 1 where it is not that one itself.
  static std::pair<Tensor, Tensor> originals(const Responses& responses) {
    const Tensor chosen = responses.pairs.chosen.cpu();
    std::vector<std::int64_t> original;
    std::vector<double> is_gap;
    for (std::int64_t i = 0; i < responses.pairs.size(); ++i) {
      const auto role = responses.roles[static_cast<std::size_t>(chosen.const_data_ptr<std::int64_t>()[i])];
      const bool gap = role == ResponseRole::variant;
      original.push_back(gap ? original.back() : i);
      is_gap.push_back(gap ? 1 : 0);
    }
    return {at::tensor(original, at::kLong).to(responses.logps.device()),
            at::tensor(is_gap, at::kDouble).to(responses.logps.options())};
  }
};

ATTUNE_PART(
    Objective, mapl, Mapl,
    .summary =
        "learns which answer, which prompt and which gap is the better one, for instructions with several constraints",
    .formula =
        "-log sigmoid(beta d) - gap_weight log sigmoid(beta (d' - d)),  d = u_c - u_r of the original, d' under "
        "constraints",
    .paper =
        "Sun et al. 2025, Multi-Level Aware Preference Learning: Enhancing RLHF for Complex Multi-Instruction Tasks, "
        "arXiv:2505.12845");

}  // namespace attune::objectives
