// The key-value pairs at the head of a GGUF file (version 2 and 3, little-endian), every length checked against the
// bytes that are there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace attune {

// Numbers of all widths are kept in the widest one of their sort.
using GgufValue = std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>, std::vector<double>,
                               std::vector<std::string>>;

class GgufMetadata {
 public:
  // Reads the pairs, not the tensors behind them. Throws FormatError at the byte.
  static GgufMetadata read(std::string_view bytes, const std::string& file);

  std::size_t size() const { return size_; }  // bytes read

  // Null when the key is not there, or of another type.
  template <class T>
  const T* find(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : std::get_if<T>(&found->second);
  }

 private:
  std::unordered_map<std::string, GgufValue> values_;
  std::size_t size_ = 0;
};

bool is_gguf(std::string_view bytes);

}  // namespace attune
