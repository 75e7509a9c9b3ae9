// RAG-RewardBench: pairs of answers from retrieved passages, by scenario.
#include "attune/evals/judged_pairs.h"

namespace attune::evals {
namespace {

class RagRewardBench final : public Eval {
  PairOptions pairs_;
  std::string scenario_ = "scenario";

 public:
  void describe(Fields& fields) {
    fields("scenario", scenario_, "column of the scenario (multi-hop, citation, abstain, conflict, ...)");
    pairs_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    return pair_accuracy(
        input, [&](const Record& record) { return column_of(record, scenario_).value_or("all"); }, pairs_, true,
        "RAG-RewardBench");
  }
};

}  // namespace

ATTUNE_PART(Eval, rag_rewardbench, RagRewardBench,
            .summary = "RAG-RewardBench: the better answer from retrieved passages, by scenario",
            .formula = "mean over scenarios of mean [r(ctx, y_w) > r(ctx, y_l)]; a judge's two orders are averaged",
            .paper = "Jin et al. 2024, RAG-RewardBench, arXiv 2412.13746");

}  // namespace attune::evals
