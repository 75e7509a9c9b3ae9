// One value of an Arrow array as JSON text.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace attune::columnar {

// Keys and values of a field's metadata by which the writer says what JSON has and Arrow lacks.
inline constexpr const char* null_key = "attune.null";  // "absent": a null stands for a member that is not there
inline constexpr const char* extension_key = "ARROW:extension:name";
inline constexpr const char* json_extension = "arrow.json";

// How the values of a column, and of the columns inside of it, become text. Made once a file.
class JsonText {
 public:
  // Throws DataError naming `path` for a type that has no JSON form (durations, unions, intervals, maps whose keys are
  // no texts, ...), and for nesting deeper than 100.
  JsonText(const arrow::Field& field, const std::string& path, const std::string& file, int depth = 0);

  // Appends value `index` of an array of the field's type. Throws DamagedStream for infinite numbers.
  void append(const arrow::Array& array, std::int64_t index, std::string& out) const;
  bool absent(const arrow::Array& array, std::int64_t index) const;  // nothing stands in the row
  const std::string& key() const { return key_; }                    // the name, quoted, and a colon

 private:
  void append_value(const arrow::Array& array, std::int64_t index, std::string& out) const;
  void append_scalar(const arrow::Array& array, std::int64_t index, std::string& out) const;
  void append_items(const arrow::Array& items, std::int64_t begin, std::int64_t end, std::string& out) const;

  std::string key_, path_;
  std::shared_ptr<arrow::DataType> type_;  // of the storage, where the field is of an extension type
  std::vector<JsonText> inner_;            // a list's item, a struct's fields, a map's key and value
  bool extension_ = false, json_ = false, null_is_absent_ = false, uuid_ = false;
};

}  // namespace attune::columnar
