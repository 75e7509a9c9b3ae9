#include "attune/diagnostics/divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/base/errors.h"

namespace attune::diagnostics {

ReverseKl reverse_kl(std::span<const SampleLogps> samples) {
  require(!samples.empty(), "a divergence of no samples");
  std::vector<double> k1, k3;
  std::vector<std::int64_t> prompts;
  ReverseKl result{.largest_log_ratio = -std::numeric_limits<double>::infinity()};
  for (const SampleLogps& sample : samples) {
    double first = 0, third = 0;
    for (std::size_t i = 0; i < sample.policy.size(); ++i) {
      const double log_ratio = sample.policy[i] - sample.reference[i];
      first += log_ratio;
      third += std::expm1(-log_ratio) + log_ratio;
    }
    k1.push_back(first);
    k3.push_back(third);
    prompts.push_back(sample.prompt);
    result.tokens += static_cast<double>(sample.policy.size());
    result.largest_log_ratio = std::max(result.largest_log_ratio, first);
  }
  result.tokens /= static_cast<double>(samples.size());
  result.k1 = clustered_mean(k1, prompts);
  result.k3 = clustered_mean(k3, prompts);
  double sum = 0;
  for (const double log_ratio : k1) sum += std::exp(log_ratio - result.largest_log_ratio);
  result.log_mean_ratio = result.largest_log_ratio + std::log(sum / static_cast<double>(k1.size()));
  return result;
}

}  // namespace attune::diagnostics
