#include "attune/model/language_model.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/model/families.h"
#include "attune/model/forest_attention.h"
#include "attune/model/scored_log_probs.h"
#include "attune/tensor/device.h"

namespace attune {
namespace {

// [reads] int64 of one field of the reads.
Tensor column(const TokenForest& forest, std::int32_t Read::*field) {
  const Tensor result = at::empty({static_cast<std::int64_t>(forest.reads.size())}, at::TensorOptions(at::kLong));
  std::int64_t* out = result.mutable_data_ptr<std::int64_t>();
  for (const Read& read : forest.reads) *out++ = read.*field;
  return result;
}

// From the choices and probabilities of all routers, [2, experts]: experts * sum over them of the share of tokens that
// chose each times the mean probability it was given.
Tensor balance_loss(const Tensor& routing, const ExpertsConfig& experts) {
  const Tensor rows = routing[0].sum() / static_cast<double>(experts.a_token);
  return (routing[0] / rows * (routing[1] / rows)).sum() * static_cast<double>(experts.count);
}

Tensor row_tensor(const std::vector<std::int32_t>& rows) {
  return at::tensor(at::ArrayRef<std::int32_t>(rows), at::TensorOptions(at::kInt)).to(at::kLong);
}

}  // namespace

LanguageModel::LanguageModel(ModelConfig config, Parameters parameters)
    : config_(std::move(config)),
      parameters_(std::make_unique<Parameters>(std::move(parameters))),
      family_(find_family(config_.family)->bind(config_, *parameters_)) {}

LanguageModel LanguageModel::random(const ModelConfig& config, std::uint64_t seed, const at::TensorOptions& options) {
  Parameters parameters(find_family(config.family)->parameters(config), options);
  parameters.initialize(seed);
  return {config, std::move(parameters)};
}

LanguageModel LanguageModel::frozen_copy() const {
  LanguageModel copy(config_, parameters_->clone());
  copy.compute_ = compute_;
  copy.generation_config_ = generation_config_;
  return copy;
}

LanguageModel LanguageModel::merged_copy() const {
  LanguageModel copy = frozen_copy();
  if (adapter_ == nullptr || adapter_->merged()) return copy;
  const at::NoGradGuard no_grad;
  adapter_->copy_saved(*copy.parameters_);
  adapter_->bind(*copy.family_);
  copy.change_by_adapter(1);
  Adapter::unbind(*copy.family_);
  return copy;
}

void LanguageModel::check_forest(const TokenForest& forest) const {
  require(forest.tokens() > 0, "a forest without tokens");
  require(forest.injects.empty(), "injected embeddings, which no family takes yet");
  check_tokens(forest.ids, forest.positions);
}

void LanguageModel::check_tokens(const Tensor& ids, const Tensor& positions) const {
  const std::int64_t largest = ids.max().item<std::int64_t>();
  if (largest >= config_.vocabulary || ids.min().item<std::int64_t>() < 0) {
    throw DataError({}, "token id " + std::to_string(largest), "ids below " + std::to_string(config_.vocabulary),
                    "use the tokenizer that belongs to the model");
  }
  if (family_->uses_rotary()) return;
  const std::int64_t longest = positions.max().item<std::int64_t>() + 1;
  if (longest > config_.max_positions) {
    throw DataError({}, "a sequence of " + std::to_string(longest) + " tokens",
                    "at most the model's " + std::to_string(config_.max_positions), "set data.max_tokens");
  }
}

std::shared_ptr<BlockContext> LanguageModel::context_for(const TokenForest& forest) const {
  auto context = std::make_shared<BlockContext>();
  context->attention = std::make_shared<ForestAttention>(forest, config_.windows, device());
  set_rotary(*context, config_, positions_of(forest), parameters_->options());
  if (adapter_ && !adapter_->merged()) context->adapted = adapted_rows(forest);
  if (!context->adapted.empty()) refresh_adapter();
  return context;
}

void LanguageModel::refresh_adapter() const { Adapter::refresh(*family_); }

Head LanguageModel::head(bool adapted) const {
  const bool on = adapted && adapter_ && !adapter_->merged();
  return on ? adapter_->head(family_->head()) : family_->head();
}

// A head is of the whole pass: its adapter is on or off everywhere.
Head LanguageModel::head_over(const TokenForest& forest) const {
  const auto off = [](const Segment& segment) { return segment.adapter < 0; };
  const bool none = std::all_of(forest.segments.begin(), forest.segments.end(), off);
  const Head on = head(!none);
  const bool mixed = !none && std::any_of(forest.segments.begin(), forest.segments.end(), off);
  require(!mixed || on.weight.is_same(family_->head().weight), "a pass in which a saved head is on and off");
  return on;
}

TrunkInput LanguageModel::pass_over(const TokenForest& forest, const Tensor& rows) const {
  check_forest(forest);
  return {.ids = forest.ids,
          .positions = forest.positions[0],
          .rows = rows,
          .context = context_for(forest),
          .embedding = adapter_ && !adapter_->merged() ? adapter_->embedding() : Tensor(),
          .recompute = compute_.recompute_blocks};
}

Tensor LanguageModel::hidden(const TokenForest& forest, const Tensor& rows) const {
  return run_trunk(*family_, config_.layers, pass_over(forest, rows)).hidden;
}

Tensor LanguageModel::logits(const TokenForest& given) const {
  const TokenForest forest = with_equal_rotation(given, config_);
  return head_over(forest).logits(hidden(forest, column(forest, &Read::row)));
}

ForestScores LanguageModel::score(const TokenForest& given, const ScoreRequest& request) const {
  require(config_.labels == 0, "log-probabilities of a classifier");
  const TokenForest forest = with_equal_rotation(given, config_);
  const Tensor rows = column(forest, &Read::row), targets = moved(column(forest, &Read::target), device());
  ScoreOptions options{.head_cache = compute_.head_cache,
                       .chunk_rows = compute_.chunk_rows,
                       .vocabulary = request.vocabulary,
                       .models = {}};
  for (const auto& [name, frozen] : request.models) {
    const at::NoGradGuard no_grad;
    const TokenForest seen = frozen.adapter ? forest : without_adapter(forest);
    options.models[name] = {frozen.model->hidden(seen, rows).detach(), frozen.model->head_over(seen).detached()};
  }
  const std::int64_t reads = rows.size(0);
  TrunkInput input = pass_over(forest, request.marked ? at::cat({rows, row_tensor(forest.marks)}) : rows);
  input.routing = request.balance;
  const TrunkOutput output = run_trunk(*family_, config_.layers, input);
  const Tensor& states = output.hidden;
  const HeadInput scored_rows{states.slice(0, 0, reads), head_over(forest)};
  ScoredTokens scored = scored_log_probs(scored_rows, targets, options);
  return {.logps = scored.logps,
          .vocabulary = std::move(scored.vocabulary),
          .hidden = request.hidden ? scored_rows.hidden : Tensor(),
          .marked = request.marked ? states.slice(0, reads) : Tensor(),
          .balance = output.routing.defined() ? balance_loss(output.routing, config_.experts) : Tensor()};
}

LabelScores LanguageModel::label_scores(const TokenForest& given) const {
  const TokenForest forest = with_equal_rotation(given, config_);
  require(config_.labels > 0, "label scores of a model that is no classifier");
  Tensor states = hidden(forest, row_tensor(forest.marks));
  return {.scores = head_over(forest).logits(states), .states = std::move(states)};
}

Tensor LanguageModel::block_states(const TokenForest& given) const {
  const TokenForest forest = with_equal_rotation(given, config_);
  TrunkInput input = pass_over(forest, column(forest, &Read::row));
  input.recompute = false;
  input.states = true;
  return at::stack(run_trunk(*family_, config_.layers, input).states);
}

OutputHeads& LanguageModel::attach_heads(std::vector<HeadSpec> specs, std::uint64_t seed) {
  require(heads_ == nullptr, "heads a second time");
  heads_ = std::make_unique<OutputHeads>(std::move(specs), config_.width, config_.layers, seed, parameters_->options());
  return *heads_;
}

Adapter& LanguageModel::attach_adapter(const AdapterOptions& options, std::uint64_t seed) {
  require(adapter_ == nullptr, "a second adapter");
  adapter_ = std::make_unique<Adapter>(*family_, options, seed, *parameters_);
  parameters_->require_gradients(false);
  adapter_->parameters().require_gradients(true);
  adapter_->bind(*family_);
  return *adapter_;
}

Adapter& LanguageModel::load_adapter(const Path& folder) {
  require(adapter_ == nullptr, "a second adapter");
  adapter_ = std::make_unique<Adapter>(*family_, folder, *parameters_);
  parameters_->require_gradients(false);
  adapter_->bind(*family_);
  return *adapter_;
}

Adapter& LanguageModel::load_adapters(const std::vector<Path>& folders, const std::vector<double>& weights) {
  require(adapter_ == nullptr, "a second adapter");
  std::vector<Adapter> adapters;
  for (const Path& folder : folders) adapters.emplace_back(*family_, folder, *parameters_);
  adapter_ = std::make_unique<Adapter>(*family_, adapters, weights, *parameters_);
  parameters_->require_gradients(false);
  adapter_->bind(*family_);
  return *adapter_;
}

void LanguageModel::detach_adapter() {
  require(adapter_ == nullptr || !adapter_->merged(), "detaching a merged adapter");
  Adapter::unbind(*family_);
  adapter_.reset();
}

void LanguageModel::save_adapter(Fs& fs, const Path& folder, const std::string& base) const {
  require(adapter_ != nullptr, "saving an adapter that is not there");
  require(!adapter_->merged(), "saving a merged adapter");
  adapter_->save(fs, folder, base, *parameters_);
}

void LanguageModel::change_by_adapter(double sign) {
  const at::NoGradGuard no_grad;
  if (sign > 0) refresh_adapter();  // and the way back divides by the same norms
  for (Linear* linear : family_->linears()) {
    for (const LoraFactor& factor : linear->factors) {
      Tensor rows = linear->weight.detach().slice(0, factor.row_begin, factor.row_end);
      const Tensor gain = factor.magnitude.defined() ? (factor.magnitude / factor.norm).unsqueeze(1) : Tensor();
      if (gain.defined() && sign < 0) rows.div_(gain);
      rows.addmm_(factor.up, factor.down, 1, sign * factor.scale);
      if (gain.defined() && sign > 0) rows.mul_(gain);
    }
  }
}

void LanguageModel::merge_adapter() {
  if (adapter_ == nullptr || adapter_->merged()) {
    throw UsageError({}, adapter_ ? "an adapter that is merged already" : "no adapter to merge");
  }
  adapter_->exchange_saved(*parameters_);
  change_by_adapter(1);
  adapter_->set_merged(true);
}

void LanguageModel::unmerge_adapter() {
  if (adapter_ == nullptr || !adapter_->merged()) throw UsageError({}, "no merged adapter");
  change_by_adapter(-1);
  adapter_->exchange_saved(*parameters_);
  adapter_->set_merged(false);
}

}  // namespace attune
