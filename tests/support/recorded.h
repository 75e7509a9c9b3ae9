// Numbers recorded from the field's reference code, and the hash both sides can compute.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "attune/base/files.h"
#include "attune/base/json.h"

namespace attune::testing {

// tests/parity/recorded/NAME.json
inline Json recorded(const std::string& name) {
  return Json::parse(read_file(std::filesystem::path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded" / (name + ".json")));
}

// FNV-1a over little-endian 32-bit words, or over the bytes widened to such words.
class Fnv {
 public:
  Fnv& add(std::uint32_t word) {
    for (int shift = 0; shift < 32; shift += 8) value_ = (value_ ^ (word >> shift & 0xFF)) * 0x100000001B3ULL;
    return *this;
  }
  Fnv& add(std::span<const std::int32_t> ids) {
    for (const std::int32_t id : ids) add(static_cast<std::uint32_t>(id));
    return *this;
  }
  Fnv& add(std::string_view bytes) {
    for (const char byte : bytes) add(static_cast<std::uint32_t>(static_cast<unsigned char>(byte)));
    return *this;
  }
  std::string hex() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value_));
    return text;
  }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

}  // namespace attune::testing
