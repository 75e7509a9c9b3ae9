#include "attune/rewards/reward_model.h"

#include <ATen/ops/stack.h>

#include <algorithm>
#include <filesystem>

#include "attune/base/errors.h"
#include "attune/heads/head_file.h"
#include "attune/policy/language.h"
#include "attune/policy/packing.h"
#include "attune/tensor/safetensors.h"

namespace attune {
namespace {

Batch ends_of(const std::vector<std::int64_t>& bin, std::span<const TokenRecord> records) {
  Layout layout;
  for (const std::int64_t index : bin) {
    const TokenRecord& record = records[static_cast<std::size_t>(index)];
    for (std::size_t i = 0; i < record.completions.size(); ++i) {
      layout.add(record.view(index), static_cast<std::int32_t>(i), ResponseRole::ranked, Extent::end);
    }
    layout.end_record();
  }
  return layout.take();
}

// Of answers that can only be compared with each other, [R]: the mean log-odds against the others.
Tensor mean_log_odds(const RewardHead& head, const Tensor& outputs) {
  const std::int64_t answers = outputs.size(0);
  std::vector<Tensor> means;
  for (std::int64_t i = 0; i < answers; ++i) {
    const Tensor one = outputs.slice(0, i, i + 1).expand_as(outputs);
    means.push_back(head.log_odds(one, outputs).sum() / static_cast<double>(std::max<std::int64_t>(answers - 1, 1)));
  }
  return at::stack(means);  // an answer against itself adds 0
}

std::vector<double> numbers(const Tensor& values) {
  const Tensor plain = values.to(at::kDouble).contiguous();
  return {plain.const_data_ptr<double>(), plain.const_data_ptr<double>() + plain.numel()};
}

}  // namespace

namespace {

constexpr const char* score_name = "base_model.model.score.weight";

// Of an adapter that attune did not write: as many labels as its score head has rows.
std::vector<std::string> labels_by_rows(const Path& folder) {
  const SafetensorsFile file(folder / "adapter_model.safetensors");
  const StoredTensor* score = file.find(score_name);
  if (score == nullptr || score->shape.size() != 2) {
    throw FormatError({.file = file.path().string()}, "an adapter without a score head", "that of a reward model",
                      "train one: attune train reward RUN model.adapter.rank=16");
  }
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < score->shape[0]; ++i) labels.push_back("LABEL_" + std::to_string(i));
  return labels;
}

}  // namespace

bool has_score_head(const Path& folder) {
  const Path file = folder / "adapter_model.safetensors";
  return std::filesystem::exists(file) && SafetensorsFile(file).find(score_name) != nullptr;
}

LanguageModel load_reward_adapter(const Path& base, const Path& folder, LoadOptions options) {
  const Json entries = read_head(folder);
  options.classifier = true;
  options.labels = labels_of(entries);
  if (options.labels.empty()) options.labels = labels_by_rows(folder);
  LanguageModel model = LanguageModel::load(base, options);
  model.load_adapter(folder);
  for (const auto& [key, value] : entries.members()) model.set_config_entry(key, value);
  return model;
}

RewardModel RewardModel::load(const Path& folder, const LoadOptions& given) {
  const bool adapter = is_adapter_folder(folder);
  if (!adapter && read_model_config(folder).labels == 0) {
    throw FormatError({.file = (folder / "config.json").string(), .field = "architectures"}, "a language model",
                      "a sequence classifier", "train one: attune train reward RUN");
  }
  LoadOptions options = given;
  options.classifier = true;
  LanguageModel model =
      adapter ? load_reward_adapter(base_of_adapter(folder), folder, options) : LanguageModel::load(folder, options);
  Choice<RewardHead> head = head_of(model.config().source, model.config().labels, folder / "config.json");
  return {std::move(model), std::move(head)};
}

// Of the answers of one record.
std::vector<Scores> RewardModel::read(const Tensor& outputs) const {
  const Tensor direct = head_->score(outputs), spread = head_->spread(outputs);
  const std::vector<double> scores = numbers(direct.defined() ? direct : mean_log_odds(*head_, outputs));
  const std::vector<double> spreads = spread.defined() ? numbers(spread) : std::vector<double>();
  std::vector<Scores> result;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    Scores& one = result.emplace_back();
    one.score = scores[i];
    if (!spreads.empty()) one.spread = spreads[i];
    one.outputs = numbers(outputs.select(0, static_cast<std::int64_t>(i)));
  }
  return result;
}

std::vector<std::vector<Scores>> RewardModel::score(std::span<const TokenRecord> records, std::int64_t tokens) {
  const at::AutoGradMode no_gradient(false);
  LanguagePolicy policy(model_, records);
  const Needs needs{.reward = RewardNeeds{.outputs = outputs(), .head = {}}};
  std::vector<std::vector<Scores>> result(records.size());
  for (const auto& bin : bins_of(records, tokens)) {
    const Tensor values = policy.score(ends_of(bin, records), needs).outputs;
    std::int64_t first = 0;
    for (const std::int64_t index : bin) {
      const auto at = static_cast<std::size_t>(index);
      const auto answers = std::ssize(records[at].completions);
      result[at] = read(values.slice(0, first, first + answers));
      first += answers;
    }
  }
  return result;
}

}  // namespace attune
