// A format whose rows are described once, for reading and for writing. What writing would not give back as it was (a
// column that nobody described, a number's spelling) travels unparsed, so that every row comes back.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/formats/draft.h"

namespace attune::formats {

enum class Shape { any, text, integer, number, boolean, list, object, texts, objects };

// A column that every row of the format has, and what it holds.
struct Sign {
  std::string_view key = {};
  Shape shape = Shape::any;
};

class TwoWayFormat : public Format {
 public:
  using Map = void (*)(Entry& row, Draft& draft);
  TwoWayFormat(std::string_view name, std::span<const Sign> signs, Map map) : name_(name), signs_(signs), map_(map) {}

  // The more columns speak for a format, the surer; a row without one of them is of another format.
  double recognises(const Row& row) const override;
  std::string columns() const override;
  std::optional<Record> read(const Row& row, RowContext& context) const override;
  std::vector<std::string> write(const Record& record, const Dataset& dataset) const override;

 private:
  bool travels_whole(const Record& record, const Json& layout) const;
  std::string_view name_;
  std::span<const Sign> signs_;
  Map map_;
};

bool has_shape(const Json& value, Shape shape);

}  // namespace attune::formats
