// Tokens to a tree. Everything a template may name but attune does not have is refused here, before anything runs.
#pragma once

#include <string>
#include <string_view>

#include "attune/text/jinja/syntax.h"

namespace attune::jinja {

// Throws FormatError with line and column.
Block parse(std::string_view source, const std::string& file);

}  // namespace attune::jinja
