// What every objective owes, run over the whole catalogue.
#include <ATen/ops/allclose.h>
#include <ATen/ops/isfinite.h>
#include <gtest/gtest.h>

#include "attune/config/read.h"
#include "support/pairs.h"

namespace attune {
namespace {

using testing::PairTable;

PairTable ordinary() {
  return {.chosen = {-12, -30.5, -7.25, -55},
          .rejected = {-15.25, -28, -9, -41},
          .chosen_reference = {-13.5, -29, -7, -52},
          .rejected_reference = {-14, -30, -8.5, -44},
          .chosen_tokens = {6, 14, 3, 30},
          .rejected_tokens = {8, 11, 5, 22}};
}

// Huge and tiny log-probabilities, identical sides, one-token answers.
PairTable extreme() {
  return {.chosen = {-1e4, -1e-7, -3, -1e4},
          .rejected = {-1e-7, -1e4, -3, -1e4},
          .chosen_reference = {-1, -1, -3, -1e4},
          .rejected_reference = {-1, -1, -3, -1e4},
          .chosen_tokens = {2000, 1, 4, 1},
          .rejected_tokens = {1, 2000, 4, 1}};
}

class EveryObjective : public ::testing::TestWithParam<const PartRow<Objective>*> {
 protected:
  ObjectiveList objectives() const {
    ObjectiveList list;
    list.emplace_back(*GetParam());
    return list;
  }
};

TEST_P(EveryObjective, GradientEqualsFiniteDifferences) {
  const PairTable table = ordinary();
  const auto list = objectives();
  const auto step = table.step(list);
  const Tensor differences = testing::finite_differences(table.leaf(), [&](const Tensor& leaf) {
    PairTable moved = table;
    moved.chosen.assign(leaf.data_ptr<double>(), leaf.data_ptr<double>() + table.size());
    moved.rejected.assign(leaf.data_ptr<double>() + table.size(), leaf.data_ptr<double>() + 2 * table.size());
    return moved.step(list).loss;
  });
  EXPECT_TRUE(at::allclose(step.gradient, differences, 1e-6, 1e-8)) << step.gradient << differences;
  EXPECT_GT(step.gradient.abs().sum().item<double>(), 0);
}

TEST_P(EveryObjective, IsFiniteOnExtremeLogProbabilities) {
  const auto step = extreme().step(objectives());
  EXPECT_TRUE(std::isfinite(step.loss));
  EXPECT_TRUE(at::isfinite(step.gradient).all().item<bool>()) << step.gradient;
  for (const auto& [name, value] : step.metrics) EXPECT_TRUE(std::isfinite(value)) << name;
}

TEST_P(EveryObjective, AccumulationChangesNothing) {
  const auto list = objectives();
  const auto whole = ordinary().step(list);
  for (const std::int64_t micro : {1, 2, 3}) {
    const auto split = ordinary().step(list, micro);
    EXPECT_NEAR(split.loss, whole.loss, 1e-10 * std::abs(whole.loss));
    EXPECT_TRUE(at::allclose(split.gradient, whole.gradient, 1e-10, 1e-14));
    for (const auto& [name, value] : whole.metrics) EXPECT_NEAR(split.metrics.at(name), value, 1e-9) << name;
  }
}

TEST_P(EveryObjective, OrderOfRecordsChangesNothing) {
  const auto list = objectives();
  PairTable table = ordinary();
  const auto before = table.step(list);
  for (auto* column : {&table.chosen, &table.rejected, &table.chosen_reference, &table.rejected_reference}) {
    std::reverse(column->begin(), column->end());
  }
  std::reverse(table.chosen_tokens.begin(), table.chosen_tokens.end());
  std::reverse(table.rejected_tokens.begin(), table.rejected_tokens.end());
  const auto after = table.step(list);
  EXPECT_NEAR(after.loss, before.loss, 1e-10 * std::abs(before.loss));
  EXPECT_TRUE(at::allclose(after.gradient, before.gradient.flip({1}), 1e-10, 1e-14));
}

TEST_P(EveryObjective, WeightScalesLossAndGradient) {
  auto list = objectives();
  const auto once = ordinary().step(list);
  list[0].weight = 0.25;
  const auto quarter = ordinary().step(list);
  EXPECT_NEAR(quarter.loss, 0.25 * once.loss, 1e-12);
  EXPECT_TRUE(at::allclose(quarter.gradient, 0.25 * once.gradient, 1e-12, 1e-14));
}

TEST_P(EveryObjective, TheWeightOfAPairScalesItsTermsAndNoOthers) {
  const auto list = objectives();
  PairTable table = ordinary();
  const auto terms = [&] {
    const Batch batch = table.batch(list, 0, table.size());
    return compute(list, table.responses(batch, table.leaf()), std::vector<Statistics>(1), {}).terms;
  };
  const auto once = terms();
  table.weight = 2;
  const auto twice = terms();
  for (std::size_t i = 0; i < once.size(); ++i) {
    const double factor = once[i].per == Per::pair ? 2 : 1;
    EXPECT_NEAR(twice[i].sum.item<double>(), factor * once[i].sum.item<double>(), 1e-12) << once[i].name;
  }
}

TEST_P(EveryObjective, ConfigurationSurvivesARoundTrip) {
  const auto part = GetParam()->part->make();
  const auto describe = [&](Fields& fields) { GetParam()->part->describe(*part, fields); };
  const Json saved = save_fields(describe);
  read_fields(parse_yaml(to_yaml(saved), "saved"), describe);
  EXPECT_EQ(save_fields(describe), saved);
}

TEST_P(EveryObjective, TellsSummaryFormulaAndPaper) {
  const PartText& text = GetParam()->part->text;
  EXPECT_STRNE(text.summary, "");
  EXPECT_STRNE(text.formula, "");
  EXPECT_STRNE(text.paper, "");
}

std::vector<const PartRow<Objective>*> all() {
  std::vector<const PartRow<Objective>*> rows;
  for (const auto& row : part_rows<Objective>()) rows.push_back(&row);
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryObjective, ::testing::ValuesIn(all()), [](const auto& row) {
  std::string name(row.param->path);
  for (char& c : name) {
    if (c == '-' || c == '/') c = '_';
  }
  return name;
});

}  // namespace
}  // namespace attune
