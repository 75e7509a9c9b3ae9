#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace attune {

// The bytes of standard base64 with its padding; nothing when the text is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace attune
