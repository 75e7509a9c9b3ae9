#include "unit/data/schema_rows.h"

namespace attune::testing {

std::vector<SchemaRow> learning_rows() { return {}; }

}  // namespace attune::testing
