// Several reward models as one (Eisenstein et al. 2023, Helping or Herding?, arXiv:2312.09244).
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace attune {

enum class Combine { mean, median, min, mean_minus_spread };
constexpr auto enum_names(Combine) {
  return std::array{std::pair{std::string_view("mean"), Combine::mean},
                    std::pair{std::string_view("median"), Combine::median},
                    std::pair{std::string_view("min"), Combine::min},
                    std::pair{std::string_view("mean-std"), Combine::mean_minus_spread}};
}

// Members' rewards of one answer, at least one, as one number. mean_minus_spread takes `factor` standard deviations
// (over the members, their number in the denominator) from the mean; the median of an even number is the mean of the
// middle two.
double combine(std::span<const double> rewards, Combine how, double factor = 1);
// The standard deviation over the members.
double disagreement(std::span<const double> rewards);

}  // namespace attune
