// Rows into Parquet and Arrow files; data/columnar.h says which types they get.
#pragma once

#include <memory>

#include "attune/data/columnar.h"

namespace attune::columnar {

std::unique_ptr<RowSink> create(Fs& fs, const Path& path, ColumnarKind kind);

}  // namespace attune::columnar
