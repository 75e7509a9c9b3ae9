// Batched sampling on the KV cache: requests wait in order, take a slot when one is free, and leave it when they end.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/generate/combined_decoder.h"
#include "attune/generate/sampler.h"
#include "attune/model/language_model.h"

namespace attune {

enum class StopReason { eos, length, stop_string };
std::string_view name(StopReason reason);  // "eos", "length", "stop-string": as in answers

struct GenerateRequest {
  std::vector<std::int32_t> prompt = {};  // not empty
  int samples = 1;
  SamplingOptions sampling = {};
  std::int64_t max_tokens = 256;  // an answer also ends (as `length`) where the model's positions do
  std::uint64_t seed = 0;
  std::int64_t id = 0;  // token t is drawn by value t of Random(seed, "sample", {id, sample}): nothing else in the
                        // batch changes it, up to the rounding that decoder.h tells of
  std::vector<std::string> stop = {};  // ends where one of these (none empty) appears; it is left out of the text
};

struct Generated {
  std::vector<std::int32_t> ids = {};  // all that the model wrote: a token that ends the text, a stop string's tokens
  std::vector<double> logps = {};      // of each id under the model or the combination (temperature 1, all kept), nats
  std::string text = {};               // without special tokens, the token that ends it and the stop string
  StopReason stop = StopReason::length;
};

// What the engine must know of a tokenizer, so that it needs none.
struct TextInterface {
  std::vector<std::int32_t> stop_ids = {};
  // Special tokens left out. Whole characters decode alike wherever they stand; bytes of half a character at the end
  // become U+FFFD.
  std::function<std::string(std::span<const std::int32_t>)> decode = {};
};

struct EngineOptions {
  int slots = 16;                       // sequences decoded at once
  std::int64_t prefill_tokens = 4'096;  // of prompts in one pass; a longer prompt gets a pass of its own
};

// Called in the middle of the work, from the calling thread.
struct GenerateEvents {
  // After each token of a sample, with its ids so far: a terminal's stream.
  std::function<void(std::size_t request, int sample, std::span<const std::int32_t> ids)> token = {};
  // Once all samples of a request and of all requests before it are there: in order.
  std::function<void(std::size_t request, const std::vector<Generated>& samples)> answered = {};
};

// All samples of all requests: result[request][sample]. A prompt is computed once for all its samples. Throws DataError
// (record: the request's id) before any work when a prompt is empty or leaves no room for a token within the model's
// positions, and FormatError when the model's logits are not finite.
std::vector<std::vector<Generated>> generate(const LanguageModel& model, const TextInterface& text,
                                             std::span<const GenerateRequest> requests,
                                             const EngineOptions& options = {}, const GenerateEvents& events = {});

// The same by several models at once: combined_decoder.h says how, and what it throws. Positions are those of the
// shortest.
std::vector<std::vector<Generated>> generate(std::span<const WeightedModel> models, const TextInterface& text,
                                             std::span<const GenerateRequest> requests,
                                             const EngineOptions& options = {}, const GenerateEvents& events = {});

}  // namespace attune
