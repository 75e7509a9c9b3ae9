#include "attune/train/micro_batches.h"

#include <algorithm>

namespace attune {
namespace {

// Who lends a prompt to whom: the next record of the step, in order of their indices, so bins do not matter.
std::map<std::int64_t, std::int64_t> probe_prompts(const std::vector<std::vector<std::int64_t>>& bins) {
  std::vector<std::int64_t> all;
  for (const auto& bin : bins) all.insert(all.end(), bin.begin(), bin.end());
  std::sort(all.begin(), all.end());
  std::map<std::int64_t, std::int64_t> next;
  for (std::size_t i = 0; all.size() > 1 && i < all.size(); ++i) next[all[i]] = all[(i + 1) % all.size()];
  return next;
}

std::int64_t tokens_of(const Batch& batch, std::span<const TokenRecord> records) {
  std::int64_t tokens = 0;
  std::int64_t prompt = -1;
  for (const auto& response : batch.responses) {
    const auto& record = records[static_cast<std::size_t>(response.record)];
    if (response.prompt != prompt) {
      prompt = response.prompt;
      tokens += static_cast<std::int64_t>(records[static_cast<std::size_t>(prompt)].prompt.size());
    }
    tokens += static_cast<std::int64_t>(record.completions[static_cast<std::size_t>(response.completion)].ids.size());
  }
  return tokens;
}

}  // namespace

StepPlan plan_step(const std::vector<std::vector<std::int64_t>>& bins, const ObjectiveList& objectives,
                   std::span<const TokenRecord> records, const std::map<std::string, FrozenColumn>& frozen) {
  StepPlan plan;
  const auto probes = probe_prompts(bins);
  for (const auto& bin : bins) {
    Layout layout;
    for (const std::int64_t index : bin) {
      RecordView view = records[static_cast<std::size_t>(index)].view(index);
      if (const auto probe = probes.find(index); probe != probes.end()) view.probe_prompt = probe->second;
      lay_out(objectives, view, layout);
    }
    Batch batch = layout.take();
    if (batch.responses.empty()) continue;
    for (const auto& [role, column] : frozen) attach(column, role, batch);
    plan.counts.add(batch);
    plan.tokens += tokens_of(batch, records);
    plan.batches.push_back(std::move(batch));
  }
  return plan;
}

std::vector<Statistics> gather_statistics(const StepPlan& plan, const ObjectiveList& objectives, const Needs& needs,
                                          Policy& policy, const std::vector<Statistics>& previous) {
  std::vector<Statistics> result(objectives.size());
  if (!needs.statistics) return result;
  const at::AutoGradMode no_gradient(false);
  for (const Batch& batch : plan.batches) {
    const Responses responses = policy.score(batch, needs);
    for (std::size_t i = 0; i < objectives.size(); ++i) result[i].merge(objectives[i]->gather(responses));
  }
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    result[i] = objectives[i]->update(i < previous.size() ? previous[i] : Statistics{}, result[i]);
  }
  return result;
}

}  // namespace attune
