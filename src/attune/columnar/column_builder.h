// JSON values into Arrow arrays of the type that their shape asks for.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

#include "attune/columnar/shape.h"

namespace attune::columnar {

// The columns of rows whose shape is `rows` (always that of an object).
std::shared_ptr<arrow::Schema> schema_of(const Shape& rows);

// Appends a row (a JSON object) to a builder of structs made for that schema.
void append_row(std::string_view row, const Shape& rows, arrow::StructBuilder& builder);

}  // namespace attune::columnar
