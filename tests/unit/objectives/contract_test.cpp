// What every objective owes, run over the whole catalogue.
#include <ATen/ops/allclose.h>
#include <ATen/ops/isfinite.h>
#include <gtest/gtest.h>

#include <set>

#include "attune/base/errors.h"
#include "attune/config/read.h"
#include "support/pairs.h"
#include "support/sequence_policy.h"

namespace attune {
namespace {

using testing::labelled_records;
using testing::SequencePolicy;
using testing::step_of;

const std::vector<std::int64_t> in_order{0, 1, 2, 3};

// Their gradient is by design not that of their value: a weight, a target or a baseline in it is held fixed. What it is
// instead stands in their tables and tests.
bool holds_something_fixed(std::string_view name) {
  static const std::set<std::string_view> names = {"aot-unpaired",    "dft",      "dro",  "hypo",
                                                   "pairwise-cringe", "steerlm2", "tdpo", "wpo"};
  return names.contains(name);
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
  const auto records = labelled_records();
  const auto list = objectives();
  SequencePolicy policy;
  const auto step = step_of(list, records, policy, in_order);
  EXPECT_TRUE(std::isfinite(step.loss));
  EXPECT_GT(step.gradient.abs().sum().item<double>(), 0);
  if (holds_something_fixed(GetParam()->path)) return;
  // Statistics of the step are held fixed where they are gathered: differences are taken with those of the centre.
  const Tensor differences = testing::finite_differences(policy.theta(), [&](const Tensor& theta) {
    SequencePolicy moved(1, theta);
    return step_of(list, records, moved, in_order, 0, &policy).loss;
  });
  EXPECT_TRUE(at::allclose(step.gradient, differences, 1e-6, 1e-8)) << step.gradient << differences;
}

TEST_P(EveryObjective, IsFiniteOnExtremeLogProbabilities) {
  for (const double scale : {1e-6, 30.0, 3000.0}) {
    SequencePolicy policy(scale);
    const auto step = step_of(objectives(), labelled_records(), policy, in_order);
    EXPECT_TRUE(std::isfinite(step.loss)) << scale;
    EXPECT_TRUE(at::isfinite(step.gradient).all().item<bool>()) << scale << step.gradient;
    for (const auto& [name, value] : step.metrics) EXPECT_TRUE(std::isfinite(value)) << scale << " " << name;
  }
}

TEST_P(EveryObjective, AccumulationChangesNothing) {
  const auto list = objectives();
  SequencePolicy policy;
  const auto whole = step_of(list, labelled_records(), policy, in_order);
  for (const std::int64_t micro : {1, 2, 3}) {
    const auto split = step_of(list, labelled_records(), policy, in_order, micro);
    EXPECT_NEAR(split.loss, whole.loss, 1e-10 * std::abs(whole.loss) + 1e-12);
    EXPECT_TRUE(at::allclose(split.gradient, whole.gradient, 1e-10, 1e-12));
    for (const auto& [name, value] : whole.metrics) EXPECT_NEAR(split.metrics.at(name), value, 1e-9) << name;
  }
}

TEST_P(EveryObjective, OrderOfRecordsChangesNothing) {
  const auto list = objectives();
  SequencePolicy policy;
  const auto before = step_of(list, labelled_records(), policy, in_order);
  const auto after = step_of(list, labelled_records(), policy, {2, 0, 3, 1});
  EXPECT_NEAR(after.loss, before.loss, 1e-10 * std::abs(before.loss) + 1e-12);
  EXPECT_TRUE(at::allclose(after.gradient, before.gradient, 1e-10, 1e-12));
}

// Frozen columns are cached by the data's own completions; what else an objective scores, it has to say.
TEST_P(EveryObjective, SaysWhenItScoresWhatNoCacheHolds) {
  const auto records = labelled_records();
  const auto list = objectives();
  Layout layout;
  RecordView view = records[0].view(0);
  view.probe_prompt = 1;
  lay_out(list, view, layout);
  for (const PlannedResponse& response : layout.batch().responses) {
    const Needs needs = list[0]->needs();
    if (needs.models.empty()) continue;
    EXPECT_TRUE(response.prompt == response.record || needs.probes);
    EXPECT_TRUE(response.extent == Extent::answer || needs.whole);
  }
}

TEST_P(EveryObjective, WeightScalesLossAndGradient) {
  auto list = objectives();
  SequencePolicy policy;
  const auto once = step_of(list, labelled_records(), policy, in_order);
  list[0].weight = 0.25;
  const auto quarter = step_of(list, labelled_records(), policy, in_order);
  EXPECT_NEAR(quarter.loss, 0.25 * once.loss, 1e-12);
  EXPECT_TRUE(at::allclose(quarter.gradient, 0.25 * once.gradient, 1e-12, 1e-14));
}

TEST_P(EveryObjective, TheWeightOfAPairScalesItsTermsAndNoOthers) {
  const auto list = objectives();
  auto records = labelled_records();
  SequencePolicy policy;
  const auto once = step_of(list, records, policy, in_order);
  for (auto& record : records) {
    for (auto& preference : record.preferences) preference.weight = 2;
    for (auto& ballot : record.ballots) ballot.weight = 2;
  }
  const auto twice = step_of(list, records, policy, in_order);
  for (std::size_t i = 0; i < once.terms.size(); ++i) {
    const double factor = once.terms[i].per == Per::pair ? 2 : 1, value = once.terms[i].sum.item<double>();
    EXPECT_NEAR(twice.terms[i].sum.item<double>(), factor * value, 1e-12 * std::abs(value) + 1e-12)
        << once.terms[i].name;
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

TEST(ObjectiveLists, ThoseThatLookAtDifferentAnswersAreRefused) {
  const auto records = labelled_records();
  const auto list = [](std::initializer_list<const char*> names) {
    ObjectiveList result;
    for (const char* name : names) result.emplace_back(*find_part<Objective>(name));
    return result;
  };
  EXPECT_NO_THROW(check_agreement(list({"dpo", "sft", "ipo"}), records[0].view(0)));
  EXPECT_NO_THROW(check_agreement(list({"dpo", "lipo"}), records[0].view(0)));
  EXPECT_THROW(check_agreement(list({"dpo", "dove"}), records[0].view(0)), ConfigError);     // other pairs
  EXPECT_THROW(check_agreement(list({"steerlm", "sft"}), records[0].view(0)), ConfigError);  // other answers
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
