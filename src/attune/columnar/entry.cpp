// The one door of the library that reads and writes Parquet and Arrow files.
#include "attune/columnar/reader.h"
#include "attune/columnar/writer.h"

extern "C" __attribute__((visibility("default"))) attune::ColumnarHalf attune_columnar_half() {
  return {.open = &attune::columnar::open, .create = &attune::columnar::create};
}
