// Objectives as a run file writes them, and the assertion that two of them are one.
#pragma once

#include <ATen/ops/allclose.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "attune/config/read.h"
#include "support/sequence_policy.h"

namespace attune::testing {

// From what stands behind `objective:`. Bounds and types are checked; `check()` is left to the caller.
inline ObjectiveList objective_of(const std::string& yaml) {
  struct Chosen {
    ObjectiveList objective = {};
    void describe(Fields& fields) { fields("objective", objective, ""); }
  } chosen;
  read_config(parse_yaml("objective: " + yaml, "test"), chosen);
  return chosen.objective;
}

// Same loss and same gradient on the records, up to `tolerance`; 0 means bit for bit.
inline void expect_same(const std::string& a, const std::string& b,
                        const std::vector<TokenRecord>& records = labelled_records(), double tolerance = 1e-12) {
  SequencePolicy policy;
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < records.size(); ++i) order.push_back(static_cast<std::int64_t>(i));
  const auto one = step_of(objective_of(a), records, policy, order);
  const auto other = step_of(objective_of(b), records, policy, order);
  EXPECT_NEAR(one.loss, other.loss, tolerance * (1 + std::abs(other.loss))) << a << " and " << b;
  EXPECT_TRUE(at::allclose(one.gradient, other.gradient, 100 * tolerance, tolerance)) << a << " and " << b;
  EXPECT_GT(other.gradient.abs().sum().item<double>(), 0) << b;
}

}  // namespace attune::testing
