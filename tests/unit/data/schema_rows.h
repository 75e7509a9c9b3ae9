// Rows made from the published schemas, with what a record must hold of each.
#pragma once

#include <cstddef>
#include <vector>

namespace attune::testing {

struct SchemaRow {
  const char* format = "";
  const char* row = "";
  std::size_t answers = 0, comparisons = 0, ratings = 0, annotators = 0;
  const char* better = "";  // what the first comparison prefers; empty: nothing
};

std::vector<SchemaRow> judged_rows();    // ratings, pairs, rankings and votes
std::vector<SchemaRow> learning_rows();  // conversations and instructions to learn from
std::vector<SchemaRow> benchmark_rows();

}  // namespace attune::testing
