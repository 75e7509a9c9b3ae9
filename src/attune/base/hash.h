// Content hashes: XXH3-128 for caches, manifests and fingerprints (detects damage, does not resist forgery).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace attune {

std::string hash_hex(std::string_view bytes);  // 32 hexadecimal digits
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

// The same hash over pieces.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher& add(std::string_view bytes);
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace attune
