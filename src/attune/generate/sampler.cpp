#include "attune/generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace attune {
namespace {

struct Candidate {
  std::int32_t id;
  double weight;  // proportional to its probability at the temperature; the most likely one's is 1
};

double log_sum_exp(std::span<const float> logits, double largest) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum);
}

bool more_likely(const Candidate& a, const Candidate& b) {
  return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
}

// Keeps the smallest prefix of the sorted candidates whose weight reaches `share` of the sum.
void keep_top_p(std::vector<Candidate>& sorted, double share) {
  const double total =
      std::accumulate(sorted.begin(), sorted.end(), 0.0, [](double sum, const Candidate& c) { return sum + c.weight; });
  double sum = 0;
  std::size_t kept = 0;
  while (kept < sorted.size() && sum < share * total) sum += sorted[kept++].weight;
  sorted.resize(std::max<std::size_t>(1, kept));
}

}  // namespace

SampledToken sample(std::span<const float> logits, const SamplingOptions& options, double uniform) {
  const auto best = std::max_element(logits.begin(), logits.end());
  const double largest = *best;
  const double normaliser = log_sum_exp(logits, largest);
  const auto result = [&](std::int32_t id) {
    return SampledToken{id, static_cast<double>(logits[static_cast<std::size_t>(id)]) - normaliser};
  };
  if (options.temperature == 0) return result(static_cast<std::int32_t>(best - logits.begin()));

  std::vector<Candidate> candidates;
  candidates.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double weight = std::exp((static_cast<double>(logits[i]) - largest) / options.temperature);
    if (weight > 0) candidates.push_back({static_cast<std::int32_t>(i), weight});
  }
  const bool cuts_k = options.top_k > 0 && static_cast<std::size_t>(options.top_k) < candidates.size();
  if (cuts_k || options.top_p < 1) {
    const auto kept = candidates.begin() + (cuts_k ? options.top_k : static_cast<std::ptrdiff_t>(candidates.size()));
    std::partial_sort(candidates.begin(), kept, candidates.end(), more_likely);
    candidates.erase(kept, candidates.end());
    if (options.top_p < 1) keep_top_p(candidates, options.top_p);
    std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  std::erase_if(candidates, [&](const Candidate& candidate) { return candidate.weight < options.min_p; });
  double total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  double left = uniform * total;
  for (const Candidate& candidate : candidates) {
    left -= candidate.weight;
    if (left < 0) return result(candidate.id);
  }
  return result(candidates.back().id);
}

}  // namespace attune
