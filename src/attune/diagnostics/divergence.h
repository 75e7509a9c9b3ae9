// Estimates of the reverse KL divergence KL(pi || ref) from samples of pi (Schulman 2020, "Approximating KL
// divergence"), and how far the reference covers them (Song et al. 2024, "The importance of online data",
// arXiv:2406.01462).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/stats/bootstrap.h"

namespace attune::diagnostics {

// One sample: token log-probabilities under both models, nats.
struct SampleLogps {
  std::int64_t prompt = 0;
  std::vector<double> policy = {}, reference = {};
};

struct ReverseKl {
  // Per sequence. k1: log pi(y) - log ref(y). k3: over the tokens, the sum of r - 1 - log r with r = ref / pi, which is
  // never negative. Both are unbiased for the divergence of answers as they are sampled. Standard errors take samples
  // of one prompt as one cluster.
  MeanEstimate k1 = {}, k3 = {};
  double tokens = 0;             // of a sample, on average
  double largest_log_ratio = 0;  // max of log pi / ref: below the logarithm of the global coverage coefficient
  double log_mean_ratio = 0;     // log E_pi[pi / ref]: 0 where the models agree
};
ReverseKl reverse_kl(std::span<const SampleLogps> samples);

}  // namespace attune::diagnostics
