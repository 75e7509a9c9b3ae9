#include "attune/train/evaluate.h"

#include "attune/policy/packing.h"
#include "attune/train/micro_batches.h"
#include "attune/train/stop.h"

namespace attune {

std::optional<std::map<std::string, double>> evaluate(Policy& policy, const ObjectiveList& objectives,
                                                      const EvaluationData& data, std::int64_t tokens_per_batch) {
  const at::AutoGradMode no_gradient(false);
  const Needs needs = needs_of(objectives);
  const StepPlan plan =
      plan_step(bins_of(data.records, tokens_per_batch), objectives,
                {.records = data.records, .probe_prompts = data.probe_prompts, .frozen = data.frozen});
  const auto statistics = gather_statistics(plan, objectives, needs, policy, {});
  double loss = 0;
  Metrics metrics;
  for (const Batch& batch : plan.batches) {
    if (stop_requested()) return std::nullopt;
    const Loss part = compute(objectives, policy.score(batch, needs), statistics, {});
    loss += total(part, plan.counts).item<double>();
    metrics.merge(part.metrics);
  }
  auto result = metrics.read();
  result["loss"] = loss;
  return result;
}

}  // namespace attune
