#include "unit/data/schema_rows.h"

namespace attune::testing {

std::vector<SchemaRow> benchmark_rows() { return {}; }

}  // namespace attune::testing
