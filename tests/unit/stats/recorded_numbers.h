// The numbers of tests/parity/record_statistics.py.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/recorded.h"

namespace attune::testing {

inline const Json& statistics(const std::string& part) {
  static const Json all = recorded("statistics");
  return *all.find(part);
}
inline double number(const Json& json, const std::string& key) { return json.find(key)->number(); }

inline std::vector<double> column(const Json& json) {
  std::vector<double> values;
  for (const Json& item : json.items()) values.push_back(item.number());
  return values;
}
inline std::vector<double> column(const Json& json, const std::string& key) { return column(*json.find(key)); }

inline void expect_near(const std::vector<double>& found, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << i;
}

}  // namespace attune::testing
