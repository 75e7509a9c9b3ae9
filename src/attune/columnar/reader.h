// Rows of Parquet and Arrow files as JSON Lines; data/columnar.h says what becomes of which type.
#pragma once

#include <memory>

#include "attune/data/columnar.h"

namespace attune::columnar {

std::unique_ptr<ByteStream> open(const Path& path, ColumnarKind kind, const ReadLimits& limits);

}  // namespace attune::columnar
