// Batched sampling on the KV cache: requests wait in order, take a slot when one is free, and leave it when they end.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "attune/generate/sampler.h"
#include "attune/model/language_model.h"

namespace attune {

enum class StopReason { eos, length, stop_string };
std::string_view name(StopReason reason);  // "eos", "length", "stop-string": as in answers

struct GenerateRequest {
  std::vector<std::int32_t> prompt = {};  // not empty
  int samples = 1;
  SamplingOptions sampling = {};
  std::int64_t max_tokens = 256;
  std::uint64_t seed = 0;
  std::int64_t id = 0;  // draws are Random(seed, "sample", {id, sample}): nothing else in the batch changes them
  std::vector<std::string> stop = {};  // ends where one of these appears in the text; it is left out of the text
};

struct Generated {
  std::vector<std::int32_t> ids = {};  // the end-of-text token included where the model wrote it
  std::vector<double> logps = {};      // of each id under the model, nats
  std::string text = {};               // without special tokens
  StopReason stop = StopReason::length;
};

// What the engine must know of a tokenizer, so that it needs none.
struct TextInterface {
  std::vector<std::int32_t> stop_ids = {};
  std::function<std::string(std::span<const std::int32_t>)> decode = {};  // special tokens left out
};

struct EngineOptions {
  int slots = 16;  // sequences decoded at once
};

// All samples of all requests: result[request][sample]. `emitted`, where given, is called after each token of request
// 0's only sample with the ids so far (a terminal's stream). Throws DataError when a prompt and its answer do not fit the
// model's positions.
std::vector<std::vector<Generated>> generate(const LanguageModel& model, const TextInterface& text,
                                             std::span<const GenerateRequest> requests, const EngineOptions& options = {},
                                             const std::function<void(std::span<const std::int32_t>)>& emitted = {});

}  // namespace attune
