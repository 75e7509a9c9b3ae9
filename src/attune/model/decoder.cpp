#include "attune/model/decoder.h"

#include <ATen/ops/empty.h>

#include <memory>
#include <utility>

#include "attune/base/errors.h"
#include "attune/model/forest_attention.h"
#include "attune/model/trunk.h"

namespace attune {
namespace {

// A forest's attention that also keeps what later steps look at.
class PromptAttention final : public Attention {
 public:
  // `prompts`: of each segment, [layers, 2, kv_heads, P, e] to be filled.
  PromptAttention(const TokenForest& forest, const std::vector<std::int64_t>& windows, std::vector<Tensor> prompts)
      : attention_(forest, windows, prompts.front().device()),
        segments_(forest.segments),
        prompts_(std::move(prompts)) {}

  Tensor operator()(std::size_t layer, const Heads& heads, const AttentionForm& form) override {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const Tensor kept = prompts_[i].select(0, static_cast<std::int64_t>(layer));
      kept[0].copy_(heads.keys.slice(0, segments_[i].begin, segments_[i].end).transpose(0, 1));
      kept[1].copy_(heads.values.slice(0, segments_[i].begin, segments_[i].end).transpose(0, 1));
    }
    return attention_(layer, heads, form);
  }

 private:
  ForestAttention attention_;
  std::vector<Segment> segments_;
  std::vector<Tensor> prompts_;
};

class StepAttention final : public Attention {
 public:
  StepAttention(KvCache& cache, std::span<const KvCache::Slot> slots, const std::vector<std::int64_t>& windows)
      : cache_(cache), slots_(slots), windows_(windows) {}

  Tensor operator()(std::size_t layer, const Heads& heads, const AttentionForm& form) override {
    return cache_.attend({.layer = layer, .window = windows_[layer], .scale = form.scale, .soft_cap = form.soft_cap},
                         slots_, heads);
  }

 private:
  KvCache& cache_;
  std::span<const KvCache::Slot> slots_;
  const std::vector<std::int64_t>& windows_;
};

// What is cached stays turned as it was, so a sequence cannot grow into other frequencies.
void check_rotation(const ModelConfig& config, std::int64_t length) {
  const auto stays = [&](const RotaryConfig& rotary) {
    return rotary_regime(rotary, length) == rotary_regime(rotary, length + 1);
  };
  if (stays(config.rotary) && (!config.local_rotary || stays(*config.local_rotary))) return;
  throw DataError({}, "a sequence that grows beyond " + std::to_string(length) + " tokens token by token",
                  "at most that many: the model's positions are stretched anew at greater lengths",
                  "set a smaller limit of new tokens, or use a longer prompt");
}

Tensor empty_rows(std::size_t count) {
  return at::empty({static_cast<std::int64_t>(count)}, at::TensorOptions(at::kLong));
}

}  // namespace

// The tokens of one pass.
struct Decoder::Rows {
  Tensor ids;  // [T] int64
  SequencePositions positions;
  Tensor wanted;  // [n] int64: rows whose logits are asked for; undefined: all
  std::shared_ptr<Attention> attention;
};

Decoder::Decoder(const LanguageModel& model)
    : model_(model),
      cache_({.layers = model.config().layers,
              .kv_heads = model.config().kv_heads,
              .head_width = model.config().head_width,
              .tensors = model.parameters().options()}) {}

Tensor Decoder::logits(const Rows& rows) {
  const Family& family = model_.family();
  const auto context = std::make_shared<BlockContext>();
  context->attention = rows.attention;
  set_rotary(*context, model_.config(), rows.positions, model_.parameters().options());
  if (const Adapter* adapter = model_.adapter(); adapter != nullptr && !adapter->merged()) {
    context->adapted = {{0, rows.ids.size(0)}};
  }
  const Tensor hidden = run_trunk(family, model_.config().layers,
                                  {.ids = rows.ids,
                                   .positions = rows.positions.at,
                                   .rows = rows.wanted,
                                   .context = context,
                                   .embedding = context->adapted.empty() ? Tensor() : model_.adapter()->embedding()})
                            .hidden;
  return model_.head().logits(hidden);
}

Decoder::Prefilled Decoder::prefill(std::span<const std::span<const std::int32_t>> prompts) {
  require(!prompts.empty(), "a pass without prompts");
  const at::NoGradGuard no_grad;
  model_.refresh_adapter();  // weights may have changed since the last sequences
  const ModelConfig& config = model_.config();
  ForestBuilder builder;
  std::vector<Tensor> kept;
  for (const auto& prompt : prompts) {
    require(!prompt.empty(), "an empty prompt in the decoder");
    builder.add(prompt);
    kept.push_back(
        at::empty({config.layers, 2, config.kv_heads, static_cast<std::int64_t>(prompt.size()), config.head_width},
                  model_.parameters().options()));
  }
  const TokenForest forest = builder.build();
  model_.check_tokens(forest.ids, forest.positions[0]);
  const Tensor last = empty_rows(prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    last.mutable_data_ptr<std::int64_t>()[i] = forest.segments[i].end - 1;
  }
  const Tensor result = logits({.ids = forest.ids,
                                .positions = positions_of(forest),
                                .wanted = last,
                                .attention = std::make_shared<PromptAttention>(forest, config.windows, kept)});
  std::vector<Slot> slots;
  for (Tensor& prompt : kept) slots.push_back(cache_.add(std::move(prompt)));
  return {std::move(slots), result};
}

Tensor Decoder::step(std::span<const Slot> slots, std::span<const std::int32_t> ids) {
  require(!slots.empty() && slots.size() == ids.size(), "one token a slot");
  const at::NoGradGuard no_grad;
  const Tensor tokens = empty_rows(ids.size());
  SequencePositions positions{.at = empty_rows(ids.size())};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::int64_t length = cache_.length(slots[i]), row = static_cast<std::int64_t>(i);
    check_rotation(model_.config(), length);
    tokens.mutable_data_ptr<std::int64_t>()[i] = ids[i];
    positions.at.mutable_data_ptr<std::int64_t>()[i] = length;
    positions.sequences.push_back({row, row + 1, length + 1});
  }
  model_.check_tokens(tokens, positions.at);
  cache_.extend(slots);
  return logits({.ids = tokens,
                 .positions = std::move(positions),
                 .wanted = {},
                 .attention = std::make_shared<StepAttention>(cache_, slots, model_.config().windows)});
}

}  // namespace attune
