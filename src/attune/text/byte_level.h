// The byte alphabet of GPT-2 (Radford et al. 2019): every byte has a printable character, so that a vocabulary of
// byte strings can be written as JSON text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace attune {

std::string byte_characters(std::string_view bytes);                      // "a b" -> "aĠb"
std::optional<std::string> character_bytes(std::string_view characters);  // nothing if a character is no byte's

}  // namespace attune
