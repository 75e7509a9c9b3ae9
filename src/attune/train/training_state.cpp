#include "attune/train/training_state.h"

#include <string_view>

#include "attune/base/errors.h"

namespace attune {
namespace {

constexpr std::string_view sums = "sums/", columns = "columns/";

const Json& member(const Checkpoint& checkpoint, std::string_view key) {
  const Json* value = checkpoint.state.find(key);
  if (value == nullptr) {
    throw FormatError({.file = checkpoint.tensors->path().string()}, "a checkpoint without '" + std::string(key) + "'");
  }
  return *value;
}

void require_same(const Checkpoint& checkpoint, const Json& facts) {
  const Json& saved = member(checkpoint, "facts");
  std::string found, expected;
  for (const auto& [key, value] : facts.members()) {
    const Json* before = saved.find(key);
    if (before != nullptr && *before == value) continue;
    found += (found.empty() ? "" : ", ") + key + " " + value.str();
    expected += (expected.empty() ? "" : ", ") + key + " " + (before != nullptr ? before->str() : "unknown");
  }
  if (found.empty()) return;
  throw ConfigError({.file = checkpoint.tensors->path().parent_path().string()}, found,
                    expected + " as in the checkpoint",
                    "a run goes on bit by bit only with the same settings, data, model, seed, threads and build");
}

void copy_tensor(const Checkpoint& checkpoint, const std::string& name, const Tensor& into) {
  const Tensor from = checkpoint.tensor(name);
  if (from.sizes() != into.sizes() || from.scalar_type() != into.scalar_type()) {
    throw FormatError({.file = checkpoint.tensors->path().string(), .field = name}, "a tensor of another model");
  }
  into.copy_(from);
}

// What a checkpoint calls the tensors of one set of parameters: "weights", ..., and "heads/weights", ... of the second.
std::string set_prefix(std::size_t set) { return set == 0 ? "" : "heads/"; }

// "statistics/INDEX/" of what a checkpoint calls an objective's statistics.
std::string prefix(std::size_t objective) { return "statistics/" + std::to_string(objective) + "/"; }

}  // namespace

CheckpointContent to_checkpoint(const Position& position, const Json& facts, const TrainingState& state) {
  CheckpointContent content;
  content.state = Json::object({{"stage", position.stage},
                                {"stage_step", position.step},
                                {"tokens", position.tokens},
                                {"best_loss", position.best_loss},  // null while there is none
                                {"unmeasured", position.unmeasured},
                                {"optimizer_steps", state.optimizers.front().steps()},
                                {"facts", facts}});
  for (std::size_t i = 0; i < state.parameters.size(); ++i) {
    content.tensors.push_back({set_prefix(i) + "weights", state.parameters[i]->flat().detach()});
    for (const NamedTensor& tensor : state.optimizers[i].state()) {
      content.tensors.push_back({set_prefix(i) + tensor.name, tensor.values});
    }
  }
  content.tensors.insert(content.tensors.end(), state.more.begin(), state.more.end());
  for (std::size_t i = 0; i < state.statistics.size(); ++i) {
    for (const auto& [name, value] : state.statistics[i].sums) {
      content.tensors.push_back({prefix(i) + std::string(sums) + name, value});
    }
    for (const auto& [name, value] : state.statistics[i].columns) {
      content.tensors.push_back({prefix(i) + std::string(columns) + name, value});
    }
  }
  return content;
}

Position position_of(const Checkpoint& checkpoint) {
  Position position{.stage = static_cast<std::size_t>(member(checkpoint, "stage").integer()),
                    .step = member(checkpoint, "stage_step").integer(),
                    .total_step = checkpoint.step,
                    .tokens = member(checkpoint, "tokens").integer(),
                    .unmeasured = member(checkpoint, "unmeasured")};
  if (const Json& best = member(checkpoint, "best_loss"); best.is_number()) position.best_loss = best.number();
  return position;
}

void restore(const Checkpoint& checkpoint, const Json& facts, TrainingState state) {
  require_same(checkpoint, facts);
  const at::AutoGradMode no_gradient(false);
  for (std::size_t i = 0; i < state.parameters.size(); ++i) {
    copy_tensor(checkpoint, set_prefix(i) + "weights", state.parameters[i]->flat());
    for (const NamedTensor& tensor : state.optimizers[i].state()) {
      copy_tensor(checkpoint, set_prefix(i) + tensor.name, tensor.values);
    }
    state.optimizers[i].set_steps(member(checkpoint, "optimizer_steps").integer());
  }
  for (const NamedTensor& tensor : state.more) copy_tensor(checkpoint, tensor.name, tensor.values);
  for (std::size_t i = 0; i < state.statistics.size(); ++i) {
    state.statistics[i] = {};
    for (const StoredTensor& stored : checkpoint.tensors->tensors()) {
      if (!stored.name.starts_with(prefix(i))) continue;
      const std::string_view name = std::string_view(stored.name).substr(prefix(i).size());
      const bool is_sum = name.starts_with(sums);
      auto& place = is_sum ? state.statistics[i].sums : state.statistics[i].columns;
      place[std::string(name.substr(is_sum ? sums.size() : columns.size()))] =
          checkpoint.tensor(stored.name).to(state.parameters.front()->device());
    }
  }
}

}  // namespace attune
