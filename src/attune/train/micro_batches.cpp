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

std::vector<std::int64_t> probe_prompts(std::span<const TokenRecord> records, std::int64_t block) {
  std::vector<std::int64_t> all(records.size());
  std::iota(all.begin(), all.end(), 0);
  const std::span<const std::int64_t> whole = all;
  std::vector<std::int64_t> lenders(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto size = static_cast<std::size_t>(block), begin = i / size * size;
    const auto neighbours = whole.subspan(begin, std::min(size, records.size() - begin));
    lenders[i] = next_prompt(all[i], neighbours, i - begin, records);
    if (lenders[i] < 0) lenders[i] = next_prompt(all[i], whole, i, records);
  }
  return lenders;
}

StepPlan plan_step(const std::vector<std::vector<std::int64_t>>& bins, const ObjectiveList& objectives,
                   const StepData& data) {
  StepPlan plan;
  const Needs needs = needs_of(objectives);
  const auto records = data.records;
  const auto add = [&](Batch batch, std::vector<Batch>& batches) {
    if (batch.responses.empty()) return;
    for (const auto& [role, columns] : data.frozen) attach(columns, role, batch);
    plan.tokens += tokens_of(batch, records);
    batches.push_back(std::move(batch));
  };
  for (const auto& bin : bins) {
    Layout layout;
    for (const std::int64_t index : bin) {
      RecordView view = records[static_cast<std::size_t>(index)].view(index);
      if (!data.probe_prompts.empty()) view.probe_prompt = data.probe_prompts[static_cast<std::size_t>(index)];
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
