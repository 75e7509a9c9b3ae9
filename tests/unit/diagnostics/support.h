// Small models and pairs for diagnostics.
#pragma once

#include <ATen/ops/tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "attune/base/random.h"
#include "attune/config/read.h"
#include "attune/diagnostics/diagnostic.h"
#include "attune/diagnostics/pairs.h"
#include "attune/diagnostics/partials.h"
#include "attune/policy/language.h"
#include "support/tiny_models.h"

namespace attune::testing {

inline constexpr const char* small_llama = R"({"model_type": "llama", "vocab_size": 61, "hidden_size": 32,
  "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48,
  "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "initializer_range": 0.2, "tie_word_embeddings": false})";

inline TokenCompletion completion_of(std::vector<std::int32_t> ids) {
  const std::size_t size = ids.size();
  return {.ids = std::move(ids), .scored = std::vector<std::uint8_t>(size, 1)};
}

// A prompt with two answers, the first one preferred.
inline TokenRecord pair_record(std::vector<std::int32_t> prompt, std::vector<std::int32_t> chosen,
                               std::vector<std::int32_t> rejected) {
  TokenRecord record{.prompt = std::move(prompt)};
  record.scored_tokens = {static_cast<std::int64_t>(chosen.size()), static_cast<std::int64_t>(rejected.size())};
  record.completions = {completion_of(std::move(chosen)), completion_of(std::move(rejected))};
  record.preferences = {{.chosen = 0, .rejected = 1}};
  return record;
}

// Random prompts and answers of several lengths; rows numbered.
inline std::vector<TokenRecord> random_pairs(std::size_t count, std::uint64_t seed = 3) {
  std::vector<TokenRecord> records;
  for (std::size_t i = 0; i < count; ++i) {
    Random random(seed, "pairs", {static_cast<std::int64_t>(i)});
    const auto length = [&] { return 1 + static_cast<std::int64_t>(random.below(6)); };
    const std::int64_t prompt = length() + 1, chosen = length(), rejected = length();
    records.push_back(
        pair_record(random_ids(random, prompt), random_ids(random, chosen), random_ids(random, rejected)));
    records.back().row = static_cast<std::int64_t>(i);
  }
  return records;
}

// A copy of the model after steps of gradient descent on the DPO loss of these pairs, the start as the reference.
inline LanguageModel learn_pairs(const LanguageModel& start, std::span<const TokenRecord> records, int steps,
                                 double rate) {
  LanguageModel model = start.frozen_copy();
  ObjectiveList dpo = {diagnostics::objective_named("dpo")};
  Layout layout;
  std::vector<double> reference;  // chosen and rejected of each record
  const auto pairs = diagnostics::compared_pairs(records);
  for (const auto& sides : diagnostics::pair_logps(model, records, pairs, 4096)) {
    reference.insert(reference.end(), {sides.chosen, sides.rejected});
  }
  for (std::size_t i = 0; i < records.size(); ++i) lay_out(dpo, records[i].view(static_cast<std::int64_t>(i)), layout);
  Batch batch = layout.take();
  batch.known_logps["reference"] = at::tensor(reference, at::kDouble);
  Counts counts;
  counts.add(batch);
  model.parameters().require_gradients(true);
  LanguagePolicy policy(model, records);
  for (int step = 0; step < steps; ++step) {
    model.parameters().zero_gradients();
    total(compute(dpo, policy.score(batch, needs_of(dpo)), {Statistics()}, {}), counts).backward();
    const at::NoGradGuard off;
    Tensor(model.parameters().flat()).sub_(rate * model.parameters().gradient());
  }
  return model;
}

// The model must outlive the source.
inline ModelSource source_of(const LanguageModel& model, std::string name = "model") {
  return {.name = std::move(name), .load = [&model] { return model.frozen_copy(); }};
}

// With options as a user writes them.
inline std::unique_ptr<Diagnostic> diagnostic(std::string_view name, const std::vector<std::string>& options = {}) {
  auto part = find_part<Diagnostic>(name)->part->make();
  ConfigNode root{.kind = ConfigNode::Kind::map};
  for (const std::string& option : options) apply_override(root, option);
  read_fields(root, [&](Fields& fields) { find_part<Diagnostic>(name)->part->describe(*part, fields); });
  return part;
}

inline double number(const Json& json, std::string_view key) { return json.find(key)->number(); }
inline double share(const Json& json, std::string_view key) { return number(*json.find(key), "share"); }

// log p of the tokens behind `prompt`, from the logits of the whole sequence alone.
inline double brute_force_logp(const LanguageModel& model, const std::vector<std::int32_t>& prompt,
                               const std::vector<std::int32_t>& answer) {
  std::vector<std::int32_t> ids = prompt;
  ids.insert(ids.end(), answer.begin(), answer.end());
  const std::vector<std::vector<std::int32_t>> sequences = {ids};
  const Tensor logps = model.score(forest_of_sequences(sequences)).logps;
  const auto first = static_cast<std::int64_t>(prompt.size()) - 1;
  return logps.slice(0, first).sum().item<double>();
}

}  // namespace attune::testing
