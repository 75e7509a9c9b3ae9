// The names that users write: tests/tables/objective_names.txt promises them, one a line.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/objectives/objective.h"

namespace attune {
namespace {

TEST(ObjectiveNames, AreThoseOfTheList) {
  std::vector<std::string> promised, present;
  std::istringstream lines(read_file(Path(ATTUNE_SOURCE_DIR) / "tests/tables/objective_names.txt"));
  for (std::string line; std::getline(lines, line);) promised.push_back(line);
  for (const auto& row : part_rows<Objective>()) present.emplace_back(row.path);
  std::sort(present.begin(), present.end());
  EXPECT_EQ(present, promised);
}

}  // namespace
}  // namespace attune
