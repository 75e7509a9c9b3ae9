// What drawing several answers and keeping the best gives, and how far it goes from the policy.
#pragma once

#include <cstdint>
#include <span>

namespace attune {

// KL(best of n || policy) where no two answers score alike: log n - (n - 1) / n; elsewhere an upper bound (Beirami et
// al. 2024, "Theoretical guarantees on the best-of-n alignment policy", Theorem 1).
double best_of_n_kl(double n);

// Their estimate for a policy that may repeat itself, of the probability that it gives to the answer that was chosen
// (section 4): tends to the bound as the probability goes to 0, and to 0 as it goes to 1. Average it over draws of the
// best of n.
double best_of_n_kl_estimate(double n, double probability);

// One answer of a prompt: what the chooser goes by and what it is worth.
struct ScoredAnswer {
  double proxy = 0, gold = 0;
};

// The expected worth of the best by proxy of n answers drawn without replacement from these, without bias: each subset
// of n counts alike, the best of equal proxies is any of them. (Nakano et al. 2021, WebGPT, appendix I.) n within [1,
// size].
double best_of_n_value(std::span<const ScoredAnswer> answers, std::int64_t n);

// P(at least one of k answers is right) without bias, of n answers with c right ones: 1 - C(n - c, k) / C(n, k)
// (Chen et al. 2021, "Evaluating large language models trained on code"). 1 where fewer than k are wrong; k <= n.
double pass_at_k(std::int64_t n, std::int64_t right, std::int64_t k);

}  // namespace attune
