#include "attune/cli_torch/sampling.h"

#include <limits>
#include <string>

#include "attune/base/json.h"

namespace attune {
namespace {

// NaN is in no range.
void require_range(const Arguments& arguments, std::string_view name, double value, bool holds,
                   std::string_view expected) {
  if (!holds) arguments.fail(std::string(name) + " " + format_double(value), std::string(expected));
}

}  // namespace

std::int64_t integer_from(Arguments& arguments, std::string_view name, std::int64_t otherwise, std::int64_t least) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const std::int64_t value = arguments.integer(name, otherwise);
  if (value < least || value > most) {
    arguments.fail(std::string(name) + " " + std::to_string(value),
                   "from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

SamplingOptions sampling_options(Arguments& arguments, SamplingOptions otherwise) {
  SamplingOptions options;
  options.temperature = arguments.number("--temperature", otherwise.temperature);
  require_range(arguments, "--temperature", options.temperature,
                options.temperature >= 0 && options.temperature <= 1'000, "from 0 (greedy) to 1000");
  options.top_k = static_cast<int>(integer_from(arguments, "--top-k", otherwise.top_k, 0));
  options.top_p = arguments.number("--top-p", otherwise.top_p);
  require_range(arguments, "--top-p", options.top_p, options.top_p > 0 && options.top_p <= 1, "above 0, at most 1");
  options.min_p = arguments.number("--min-p", otherwise.min_p);
  require_range(arguments, "--min-p", options.min_p, options.min_p >= 0 && options.min_p <= 1, "from 0 to 1");
  return options;
}

}  // namespace attune
