// DPO with an offset: the implicit reward is to differ by as much as the data's scores say.
#include <ATen/ops/index_select.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log1p.h>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {

enum class OffsetFunction { log, identity, ratio };
constexpr auto enum_names(OffsetFunction) {
  return std::array{std::pair{std::string_view("log"), OffsetFunction::log},
                    std::pair{std::string_view("identity"), OffsetFunction::identity},
                    std::pair{std::string_view("ratio"), OffsetFunction::ratio}};
}

class Odpo final : public PairObjective {
  double alpha_ = 1, smallest_gap_ = 0;
  OffsetFunction offset_fn_ = OffsetFunction::log;

 public:
  void describe(Fields& fields) {
    describe_beta(fields);
    fields("alpha", alpha_, "strength of the offset; 0 is dpo on the scored pairs").at_least(0);
    fields("offset_fn", offset_fn_, "of the scores: log(c - r), c - r, or log(c / r)");
    fields("smallest_gap", smallest_gap_,
           "smaller score gaps count as this one; 0: pairs without a gap above 0 are left out")
        .at_least(0);
    describe_smoothing(fields);
    describe_sides(fields);
  }

  std::string data() const override {
    return offset_fn_ == OffsetFunction::ratio
               ? "comparisons whose answers have positive scores, the chosen one a higher"
               : "comparisons whose answers have scores, the chosen one a higher";
  }

  // Amini et al. 2024: -log sigmoid(beta (u_c - u_r) - alpha f(scores)).
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    PairScores s = scores(responses);
    s.chosen = s.chosen - alpha_ / beta() * offset(responses);
    return loss("odpo", s, expected(s, [this](const Tensor& chosen, const Tensor& rejected) {
                  return logistic(beta() * (chosen - rejected));
                }));
  }

 private:
  bool wants(const RecordView& record, const RecordView::Preference& preference) const override {
    if (!both_scored(record, preference)) return false;
    const double chosen = record.labels[static_cast<std::size_t>(preference.chosen)].score;
    const double rejected = record.labels[static_cast<std::size_t>(preference.rejected)].score;
    if (offset_fn_ == OffsetFunction::ratio && rejected <= 0) return false;
    return offset_fn_ == OffsetFunction::identity || smallest_gap_ > 0 || chosen > rejected;
  }

  Tensor offset(const Responses& responses) const {
    const Tensor gap = score_gap(responses);
    if (offset_fn_ == OffsetFunction::identity) return gap;
    const Tensor guarded = gap.clamp_min(smallest_gap_);
    if (offset_fn_ == OffsetFunction::log) return at::log(guarded);
    return at::log1p(guarded / responses.scores.index_select(0, responses.pairs.rejected));
  }
};

ATTUNE_PART(Objective, odpo, Odpo, .summary = "asks for a larger reward margin where the data's scores differ more",
            .formula = "-log sigmoid(beta (u_c - u_r) - alpha f),  u = log pi - log ref,  f = log(score_c - score_r)",
            .paper = "Amini et al. 2024, Direct Preference Optimization with an Offset, arXiv:2402.10571");

}  // namespace attune::objectives
