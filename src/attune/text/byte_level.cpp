#include "attune/text/byte_level.h"

#include <array>

#include "attune/text/unicode.h"

namespace attune {
namespace {

struct Alphabet {
  std::array<char32_t, 256> character = {};
  std::array<int, 512> byte = {};  // -1: no byte's character

  Alphabet() {
    byte.fill(-1);
    char32_t next = 256;  // bytes without a printable Latin-1 character take 256, 257, ... in order
    for (char32_t b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      character[b] = printable ? b : next++;
      byte[character[b]] = static_cast<int>(b);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet instance;
  return instance;
}

}  // namespace

std::string byte_characters(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) append_utf8(out, alphabet().character[static_cast<unsigned char>(byte)]);
  return out;
}

std::optional<std::string> character_bytes(std::string_view characters) {
  std::string out;
  for (std::size_t at = 0; at < characters.size();) {
    const CodePoint c = code_point_at(characters, at);
    if (c.value >= alphabet().byte.size() || alphabet().byte[c.value] < 0) return std::nullopt;
    out += static_cast<char>(static_cast<unsigned char>(alphabet().byte[c.value]));
    at += c.size;
  }
  return out;
}

}  // namespace attune
