#include "attune/train/micro_batches.h"

#include <algorithm>
#include <numeric>

namespace attune {
namespace {

// The next of `candidates` after place `from`, in a circle, whose prompt is not that of record `index`; -1: none.
std::int64_t next_prompt(std::int64_t index, std::span<const std::int64_t> candidates, std::size_t from,
                         std::span<const TokenRecord> records) {
  const auto& own = records[static_cast<std::size_t>(index)].prompt;
  for (std::size_t step = 1; step < candidates.size(); ++step) {
    const std::int64_t other = candidates[(from + step) % candidates.size()];
    if (records[static_cast<std::size_t>(other)].prompt != own) return other;
  }
  return -1;
}

// Who lends a prompt to whom, in order of the records' indices, so that bins do not matter.
std::map<std::int64_t, std::int64_t> probe_prompts(const std::vector<std::vector<std::int64_t>>& bins,
                                                   std::span<const TokenRecord> records) {
  std::vector<std::int64_t> step;
  for (const auto& bin : bins) step.insert(step.end(), bin.begin(), bin.end());
  std::sort(step.begin(), step.end());
  std::vector<std::int64_t> all(records.size());
  std::iota(all.begin(), all.end(), 0);
  std::map<std::int64_t, std::int64_t> lenders;
  for (std::size_t i = 0; i < step.size(); ++i) {
    std::int64_t lender = next_prompt(step[i], step, i, records);
    if (lender < 0) lender = next_prompt(step[i], all, static_cast<std::size_t>(step[i]), records);
    if (lender >= 0) lenders[step[i]] = lender;
  }
  return lenders;
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
  const Needs needs = needs_of(objectives);
  const auto probes = needs.statistics ? probe_prompts(bins, records) : std::map<std::int64_t, std::int64_t>();
  const auto add = [&](Batch batch, std::vector<Batch>& batches) {
    if (batch.responses.empty()) return;
    for (const auto& [role, column] : frozen) attach(column, role, batch);
    plan.tokens += tokens_of(batch, records);
    batches.push_back(std::move(batch));
  };
  for (const auto& bin : bins) {
    Layout layout;
    for (const std::int64_t index : bin) {
      RecordView view = records[static_cast<std::size_t>(index)].view(index);
      if (const auto probe = probes.find(index); probe != probes.end()) view.probe_prompt = probe->second;
      lay_out(objectives, view, layout);
    }
    const Batch batch = layout.take();
    if (needs.statistics) add(batch.with(needs.gathered), plan.gathered);
    Batch scored = batch.with(Roles::all().without(ResponseRole::kl_probe));
    if (scored.responses.empty()) continue;
    plan.counts.add(scored);
    add(std::move(scored), plan.batches);
  }
  return plan;
}

std::vector<Statistics> gather_statistics(const StepPlan& plan, const ObjectiveList& objectives, const Needs& needs,
                                          Policy& policy, const std::vector<Statistics>& previous) {
  std::vector<Statistics> result(objectives.size());
  if (!needs.statistics) return result;
  const at::AutoGradMode no_gradient(false);
  for (const Batch& batch : plan.gathered) {
    const Responses responses = policy.score(batch, needs);
    for (std::size_t i = 0; i < objectives.size(); ++i) result[i].merge(objectives[i]->gather(responses));
  }
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    result[i] = objectives[i]->update(i < previous.size() ? previous[i] : Statistics{}, result[i]);
  }
  return result;
}

}  // namespace attune
