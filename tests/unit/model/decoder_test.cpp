// A model over a cache, token by token, computes what the full forward pass computes.
#include "attune/model/decoder.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "attune/base/errors.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::distance;
using testing::random_ids;
using testing::tiny_model;
using Ids = std::vector<std::int32_t>;

double tolerance(const LanguageModel& model) { return model.dtype() == at::kDouble ? 1e-12 : 1e-5; }

// [tokens - 1, V]: what the full pass says after each token but the last.
Tensor full_logits(const LanguageModel& model, const Ids& sequence) {
  const at::NoGradGuard no_grad;
  return model.logits(forest_of_sequences(std::vector<Ids>{sequence}));
}

std::span<const std::int32_t> first(const Ids& sequence, std::int64_t count) {
  return std::span(sequence).first(static_cast<std::size_t>(count));
}

// Sequences given beforehand, written token by token in one batch; each leaves when it ends.
struct Script {
  Ids sequence = {};
  std::int64_t prompt = 0;
};

void expect_equal_to_full(const LanguageModel& model, const std::vector<Script>& scripts) {
  Decoder decoder(model);
  std::vector<std::span<const std::int32_t>> prompts;
  std::vector<Tensor> full;
  for (const Script& script : scripts) {
    prompts.push_back(first(script.sequence, script.prompt));
    full.push_back(full_logits(model, script.sequence));
    ASSERT_GT(full.back().std().item<double>(), 0.5) << "logits too even to compare";
  }
  const auto [slots, logits] = decoder.prefill(prompts);
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    EXPECT_LT(distance(logits[static_cast<std::int64_t>(i)], full[i][scripts[i].prompt - 1]), tolerance(model))
        << model.config().family << ", prompt " << i;
  }
  for (;;) {
    std::vector<Decoder::Slot> running;
    std::vector<std::size_t> owners;
    Ids next;
    for (std::size_t i = 0; i < scripts.size(); ++i) {
      const auto length = static_cast<std::size_t>(decoder.length(slots[i]));
      if (length + 1 >= scripts[i].sequence.size()) continue;
      running.push_back(slots[i]);
      owners.push_back(i);
      next.push_back(scripts[i].sequence[length]);
    }
    if (running.empty()) return;
    const Tensor stepped = decoder.step(running, next);
    for (std::size_t row = 0; row < owners.size(); ++row) {
      const std::size_t i = owners[row];
      EXPECT_LT(distance(stepped[static_cast<std::int64_t>(row)], full[i][decoder.length(slots[i]) - 1]),
                tolerance(model))
          << model.config().family << ", sequence " << i << " after " << decoder.length(slots[i]) << " tokens";
    }
  }
}

std::vector<Script> ragged_scripts() {
  Random random(5, "scripts");
  std::vector<Script> scripts;
  for (const auto& [prompt, more] : std::vector<std::pair<int, int>>{{1, 40}, {7, 3}, {19, 30}, {2, 17}, {33, 40}}) {
    scripts.push_back({random_ids(random, prompt + more), prompt});
  }
  return scripts;
}

// An adapter that changes what the model says.
void fill_adapter(LanguageModel& model) {
  Parameters& parameters = model.attach_adapter({.rank = 4, .alpha = 8, .targets = {"all-linear"}}, 3).parameters();
  for (const std::string& name : parameters.names()) {
    const Tensor part = parameters.part(name);
    part.copy_(at::randn(part.sizes(), part.options()) * 0.2);
  }
}

TEST(Decoder, StepsEqualTheFullPassForEveryFamilyAndBothTypes) {
  for (const char* config : testing::tiny_configs) {
    for (const auto dtype : {at::kFloat, at::kDouble})
      expect_equal_to_full(tiny_model(config, dtype), ragged_scripts());
  }
}

TEST(Decoder, TheAdapterIsOnWhereTheModelHasOne) {
  for (const char* config : {testing::tiny_llama, testing::tiny_gpt2}) {
    LanguageModel model = tiny_model(config);
    const Ids sequence = ragged_scripts().back().sequence;
    const Tensor without = full_logits(model, sequence);
    fill_adapter(model);
    ASSERT_GT(distance(full_logits(model, sequence), without), 0.1);
    expect_equal_to_full(model, ragged_scripts());
    model.merge_adapter();
    expect_equal_to_full(model, ragged_scripts());
  }
}

TEST(Decoder, ForksShareThePromptAndGoTheirOwnWays) {
  for (const char* config : testing::tiny_configs) {
    const LanguageModel model = tiny_model(config);
    Random random(11, "forks");
    const Ids prompt = random_ids(random, 9);
    Decoder decoder(model);
    const std::span<const std::int32_t> prompts[] = {prompt};
    std::vector<Decoder::Slot> slots = decoder.prefill(prompts).slots;
    std::vector<Ids> written(1, prompt);
    const auto fork = [&](std::size_t from) {
      slots.push_back(decoder.fork(slots[from]));
      written.push_back(written[from]);
    };
    fork(0);
    for (int step = 0; step < 40; ++step) {  // beyond the first size of a slot's own rows
      if (step == 3 || step == 20) fork(1);
      const Ids next = random_ids(random, static_cast<std::int64_t>(slots.size()));
      const Tensor logits = decoder.step(slots, next);
      for (std::size_t i = 0; i < slots.size(); ++i) {
        written[i].push_back(next[i]);
        Ids extended = written[i];
        extended.push_back(0);
        EXPECT_LT(distance(logits[static_cast<std::int64_t>(i)], full_logits(model, extended)[-1]), 1e-12)
            << model.config().family << ", sample " << i << ", step " << step;
      }
    }
  }
}

TEST(Decoder, AReleasedSlotLeavesNothingBehind) {
  const LanguageModel model = tiny_model(testing::tiny_llama);
  Random random(12, "release");
  const Ids old_prompt = random_ids(random, 30), prompt = random_ids(random, 4);
  const auto two_steps = [&](Decoder& decoder) {
    const std::span<const std::int32_t> prompts[] = {prompt};
    const auto slots = decoder.prefill(prompts).slots;
    decoder.step(slots, Ids{5});
    return decoder.step(slots, Ids{6});
  };
  Decoder fresh(model), used(model);
  const std::span<const std::int32_t> prompts[] = {old_prompt};
  const Decoder::Slot slot = used.prefill(prompts).slots[0], copy = used.fork(slot);
  used.step(std::vector{slot, copy}, Ids{1, 2});
  used.release(slot);
  used.step(std::vector{copy}, Ids{3});  // its prompt is still there
  used.release(copy);
  EXPECT_EQ(used.slots_in_use(), 0u);
  EXPECT_EQ(distance(two_steps(used), two_steps(fresh)), 0);
  EXPECT_THROW(used.step(std::vector{slot}, Ids{3}), InternalError);
}

TEST(Decoder, WhatItCannotRunIsRefused) {
  const LanguageModel model = tiny_model(testing::tiny_gpt2);
  Decoder decoder(model);
  const auto prefill = [&](const Ids& prompt) {
    const std::span<const std::int32_t> prompts[] = {prompt};
    return decoder.prefill(prompts).slots[0];
  };
  EXPECT_THROW(prefill({3, 61}), DataError);
  EXPECT_THROW(prefill({-1}), DataError);
  EXPECT_THROW(prefill(Ids(97, 1)), DataError);
  const Decoder::Slot slot = prefill(Ids(96, 1)), shorter = prefill({1, 2});
  EXPECT_THROW(decoder.step(std::vector{slot}, Ids{1}), DataError);
  EXPECT_THROW(decoder.step(std::vector{shorter}, Ids{61}), DataError);
  EXPECT_THROW(decoder.step(std::vector{shorter, shorter}, Ids{1, 2}), InternalError);
  EXPECT_EQ(decoder.length(shorter), 2) << "a refused step changed the slot";
}

}  // namespace
}  // namespace attune
