// Finding the final answer in a text, and reading it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

// Without blanks (Unicode's) at both ends.
std::string_view trimmed(std::string_view text);

// What stands behind the last of the markers that occurs in the text, the first of the list that does; nothing where
// none does.
std::optional<std::string_view> behind_marker(std::string_view text, const std::vector<std::string>& markers);

// The first or the last number of a text: "$1,234.50" is 1234.5; digits of a thousand may be grouped by commas.
std::optional<double> first_number(std::string_view text);
std::optional<double> last_number(std::string_view text);

}  // namespace attune
