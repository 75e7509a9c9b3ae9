// Python's str methods on marked text.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "attune/text/jinja/text.h"

namespace attune::jinja {

enum class Side { left = 1, right = 2, both = 3 };

// Without `characters`: blanks.
Text stripped(const Text& text, std::optional<std::string_view> characters, Side side);
// At most `most` replacements; below 0: all.
Text replaced(const Text& text, std::string_view old, const Text& by, std::int64_t most = -1);
// By a separator (not empty), or without one by runs of blanks, dropping empty pieces. At most `most` cuts.
std::vector<Text> split(const Text& text, std::optional<std::string_view> separator, std::int64_t most = -1);
std::vector<Text> split_from_right(const Text& text, std::optional<std::string_view> separator, std::int64_t most);
std::vector<Text> lines(const Text& text, bool keep_ends);

// change() of the bytes; the marks of the text stay where they are if the length does, else its strictest one is all's.
Text recased(const Text& text, std::string (*change)(std::string_view));

}  // namespace attune::jinja
