// Takes the members of a JSON object by name and type; what has another type is reported with its field path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/format.h"

namespace attune {

class ObjectReader {
 public:
  // `object` must outlive the reader. Another type than an object is reported at once.
  ObjectReader(const Json& object, std::string path, RowContext& context);

  const Json* member(std::string_view key);  // nullptr when absent
  std::string text(std::string_view key);    // empty when absent
  std::int32_t index(std::string_view key);  // -1 when absent
  std::int64_t integer(std::string_view key, std::int64_t otherwise);
  std::optional<double> number(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  const Json::Array& list(std::string_view key);  // empty when absent
  std::vector<std::string> texts(std::string_view key);

  std::string path(std::string_view key) const;
  std::string path(std::string_view key, std::size_t item) const;
  void refuse_the_rest();  // reports members that nobody asked for, with the nearest right spelling
  RowContext& context() { return context_; }

 private:
  const Json& object_;
  std::string path_;
  RowContext& context_;
  std::vector<std::string> known_;
};

}  // namespace attune
