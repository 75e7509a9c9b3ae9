// What Split, Replace and their like look for: a text, or a regular expression.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "attune/text/encoding.h"
#include "attune/text/regex/regex.h"

namespace attune {

using Pattern = std::variant<std::string, Regex>;

// The matches in `text`, from left to right without overlap. An empty text matches nowhere.
std::vector<ByteSpan> matches_of(const Pattern& pattern, std::string_view text);

}  // namespace attune
