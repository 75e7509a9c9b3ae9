// Runs the text cases of tests/tables/objectives: log-probabilities in, loss and gradient out. A new case needs no
// compile.
#include <ATen/ops/allclose.h>
#include <gtest/gtest.h>

#include "attune/config/read.h"
#include "support/pairs.h"

namespace attune {
namespace {

struct Case {
  std::string name = {};
  ObjectiveList objective = {};
  std::vector<double> chosen, rejected, chosen_reference, rejected_reference;
  std::vector<std::int64_t> chosen_tokens, rejected_tokens;
  double loss = 0;
  double tolerance = 1e-9;
  std::vector<double> chosen_gradient, rejected_gradient;  // empty: not compared

  void describe(Fields& fields) {
    fields("name", name, "").required();
    fields("objective", objective, "").required();
    fields("chosen", chosen, "").required();
    fields("rejected", rejected, "").required();
    fields("chosen_reference", chosen_reference, "");
    fields("rejected_reference", rejected_reference, "");
    fields("chosen_tokens", chosen_tokens, "");
    fields("rejected_tokens", rejected_tokens, "");
    fields("loss", loss, "").required();
    fields("tolerance", tolerance, "");
    fields("chosen_gradient", chosen_gradient, "");
    fields("rejected_gradient", rejected_gradient, "");
  }
};

struct Table {
  std::vector<Case> cases = {};
  void describe(Fields& fields) { fields("cases", cases, "").required(); }
};

TEST(ObjectiveTables, EveryCaseGivesItsLossAndGradient) {
  std::size_t count = 0;
  const Path folder = Path(ATTUNE_SOURCE_DIR) / "tests/tables/objectives";
  for (const auto& file : list_directory(folder)) {
    Table table;
    read_config(read_yaml(folder / file), table);
    for (const Case& one : table.cases) {
      SCOPED_TRACE(file + ": " + one.name);
      const testing::PairTable pairs{one.chosen,           one.rejected,
                                     one.chosen_reference, one.rejected_reference,
                                     one.chosen_tokens,    one.rejected_tokens};
      const auto step = pairs.step(one.objective);
      EXPECT_NEAR(step.loss, one.loss, one.tolerance);
      const auto compare = [&](const std::vector<double>& expected, std::int64_t row) {
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_NEAR(step.gradient[row][static_cast<std::int64_t>(i)].item<double>(), expected[i], one.tolerance);
        }
      };
      compare(one.chosen_gradient, 0);
      compare(one.rejected_gradient, 1);
      ++count;
    }
  }
  EXPECT_GE(count, 5u);
}

}  // namespace
}  // namespace attune
