// From one row of logits to one token. A request's draws depend on its own seed and position alone, never on what else
// is in the batch.
#pragma once

#include <cstdint>
#include <span>

namespace attune {

// Applied in the order of transformers: temperature, top-k, top-p, min-p; each works on what the ones before it kept.
struct SamplingOptions {
  double temperature = 1;  // 0: greedy, the most likely token (the lowest id of equals)
  int top_k = 0;           // keep the k most likely; 0: all
  double top_p = 1;        // keep the smallest set of the most likely whose probability reaches p
  double min_p = 0;        // keep those with at least this share of the most likely one's probability
};

struct SampledToken {
  std::int32_t id = 0;
  double logp = 0;  // nats, under the model itself: at temperature 1, nothing filtered
};

// `uniform` in [0, 1) decides: the kept tokens share the unit interval in order of their ids. Logits must be finite or
// minus infinity, at least one of them finite.
SampledToken sample(std::span<const float> logits, const SamplingOptions& options, double uniform);

}  // namespace attune
