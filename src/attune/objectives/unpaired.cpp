#include "attune/objectives/unpaired.h"

#include <ATen/ops/clamp_min.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace attune::objectives {

std::vector<Opinion> opinions(const RecordView& record) {
  const auto thumb = [&](std::int32_t completion) -> int {
    return record.thumbs.empty() ? 0 : record.thumbs[static_cast<std::size_t>(completion)];
  };
  std::vector<Opinion> result;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(record.thumbs.size()); ++i) {
    if (thumb(i) != 0) result.push_back({i, thumb(i) > 0 ? ResponseRole::chosen : ResponseRole::rejected});
  }
  for (const auto& preference : record.preferences) {
    if (thumb(preference.chosen) == 0) result.push_back({preference.chosen, ResponseRole::chosen});
    if (thumb(preference.rejected) == 0) result.push_back({preference.rejected, ResponseRole::rejected});
  }
  return result;
}

bool is_answer(const RecordView& record, std::int32_t completion) {
  return completion != record.reference_answer &&
         std::none_of(record.preferences.begin(), record.preferences.end(),
                      [&](const auto& preference) { return preference.rationale == completion; });
}

std::vector<std::int32_t> unjudged(const RecordView& record) {
  std::vector<bool> judged(record.scored_tokens.size(), false);
  for (const Opinion& opinion : opinions(record)) judged[static_cast<std::size_t>(opinion.completion)] = true;
  std::vector<std::int32_t> result;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(judged.size()); ++i) {
    if (!judged[static_cast<std::size_t>(i)] && is_answer(record, i)) result.push_back(i);
  }
  return result;
}

void lay_out_opinions(const RecordView& record, Layout& layout) {
  for (const auto& [completion, role] : opinions(record)) layout.add(record, completion, role);
}

Answers answers(const Responses& responses, ResponseRole role) {
  const Tensor indices = responses.indices_of(role);
  return {.logps = responses.logps.index_select(0, indices),
          .log_ratio = {},
          .weight = responses.weights.index_select(0, indices)};
}

Answers answers(const Responses& responses, ResponseRole role, const char* reference) {
  Answers result = answers(responses, role);
  const Tensor indices = responses.indices_of(role);
  result.log_ratio = result.logps - responses.model(reference).logps.index_select(0, indices);
  return result;
}

Term opinions_term(std::string name, const Answers& good, const Tensor& good_loss, const Answers& bad,
                   const Tensor& bad_loss) {
  return {.name = std::move(name),
          .sum = (good.weight * good_loss).sum() + (bad.weight * bad_loss).sum(),
          .per = Per::response,
          .role = good_and_bad};
}

Tensor mask_of(const Responses& responses, Roles roles) {
  std::vector<double> mask;
  for (const ResponseRole role : responses.roles) mask.push_back(roles.has(role) ? 1 : 0);
  return at::tensor(mask, at::kDouble).to(responses.logps.options());
}

void add_unpaired_metrics(Metrics& metrics, const Answers& good, const Answers& bad, double beta) {
  const auto add = [&](const std::string& side, const Answers& group) {
    if (group.size() == 0) return;
    const auto count = static_cast<double>(group.size());
    metrics.add("rewards/" + side, beta * group.log_ratio.sum(), count);
    metrics.add("logps/" + side, group.logps.sum(), count);
  };
  add("chosen", good);
  add("rejected", bad);
  metrics.add_difference("rewards/margins", "rewards/chosen", "rewards/rejected");
}

void gather_mean(Statistics& statistics, const std::string& name, const Tensor& values) {
  const Tensor doubles = values.detach().to(at::kDouble);
  statistics.sums[name] = doubles.sum();
  statistics.sums[name + "/count"] = at::scalar_tensor(static_cast<double>(values.size(0)), doubles.options());
}

GatheredMean gathered_mean(const Statistics& statistics, const std::string& name, const Tensor& like) {
  const auto sum = statistics.sums.find(name), count = statistics.sums.find(name + "/count");
  const auto scalar = [&](const Tensor& value) { return value.to(like.options()); };
  if (sum == statistics.sums.end()) return {at::zeros({}, like.options()), at::zeros({}, like.options())};
  // A decayed count can be below one; only nothing at all needs another divisor.
  return {scalar(sum->second / at::clamp_min(count->second, 1e-12)), scalar(count->second)};
}

}  // namespace attune::objectives
