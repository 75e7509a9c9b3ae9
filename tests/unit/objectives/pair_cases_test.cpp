// The cases in which one loss on pairs is another, what options are refused, and which records are not theirs.
#include <ATen/ops/equal.h>

#include "attune/base/errors.h"
#include "support/objective_of.h"

namespace attune {
namespace {

using testing::expect_same;
using testing::labelled_records;
using testing::objective_of;
using testing::SequencePolicy;
using testing::step_of;

std::vector<TokenRecord> records_with(const std::function<void(TokenRecord&)>& change) {
  auto records = labelled_records();
  for (auto& record : records) change(record);
  return records;
}

TEST(PairCases, PresetsAreTheOptionsTheyName) {
  expect_same("sigmoid-norm", "{dpo: {length: mean}}");
  expect_same("wpo", "{dpo: {weighting: wpo}}");
  expect_same("ld-dpo", "{dpo: {ld_alpha: 0.5}}");
  expect_same("r-dpo", "{dpo: {length_penalty: 0.01}}");
}

TEST(PairCases, OptionsThatDoNothingGiveDpo) {
  expect_same("{r-dpo: {length_penalty: 0}}", "dpo");
  expect_same("{robust: {label_smoothing: 0}}", "dpo");
  expect_same("{dpo-shift: {factor: 1}}", "dpo");
  expect_same("{dpo-shift: {schedule: increase_linear, factor_min: 1}}", "dpo");
  expect_same("{dpop-smaug: {lambda: 0, beta: 0.1}}", "dpo");
  expect_same("{odpo: {alpha: 0}}", "dpo");
  expect_same("{dove: {joint: false}}", "dpo");
  expect_same("{dpo: {divergence: alpha_divergence, divergence_alpha: 1}}", "dpo");
  expect_same("mapl", "dpo");  // one comparison a record
  expect_same("spin", "dpo");  // the records compare
}

// LD-DPO's tail weight 1 through the token columns, which no option takes: 1 is left to the plain sums.
TEST(PairCases, ATailWeightNearOneIsNearDpo) {
  expect_same("{dpo: {ld_alpha: 0.9999999999}}", "dpo", labelled_records(), 1e-8);
}

TEST(PairCases, ModifiersOfWeightZeroAreTheirObjectiveBitForBit) {
  for (const char* modifier : {"{rationale-preference: {gamma: 0}}", "{xpo: {alpha: 0}}", "{hypo: {lambda: 0}}",
                               "{spo-preference-degree: {gamma: 0}}"}) {
    expect_same(modifier, "dpo", labelled_records(), 0);
  }
  expect_same("{rationale-preference: {gamma: 0, objective: {orpo: {beta: 0.3}}}}", "{orpo: {beta: 0.3}}",
              labelled_records(), 0);
}

TEST(PairCases, ReferenceFreeLossesMeetWhereTheirFormulasDo) {
  expect_same("{alphapo: {alpha: 0, beta: 2, gamma: 0.6}}", "{simpo: {beta: 2, gamma_beta_ratio: 0.3}}");
  expect_same("{alphapo: {alpha: 1.0e-7, beta: 2, gamma: 0.6}}", "{simpo: {beta: 2, gamma: 0.6}}", labelled_records(),
              1e-5);
  expect_same("{tpo: {beta: 0.2, sft_weight: 0}}", "{cpo: {beta: 0.2, sft_weight: 0}}");
  expect_same("{tpo: {link: tpo-l, beta: 2, sft_weight: 0, gamma: 0.6}}", "{simpo: {beta: 2, gamma: 0.6}}");
  expect_same("{cpo: {sft_weight: 0.3}}", "[{cpo: {sft_weight: 0}}, {sft: {weight: 0.3}}]");
  expect_same("{asft: {score: log_ratio, sft_weight: 0}}", "bco-pair");
}

TEST(PairCases, SquaresMeet) {
  // (n - 1) H_(n-1) = 1 for n = 2 is 1 / (2 beta) at beta = 0.5.
  expect_same("{bonbon: {n: 2, alpha: 0}}", "{ipo: {beta: 0.5, length: sum}}");
  // (0.1 d - 0.5)^2 = 0.01 (d - 5)^2.
  expect_same("{rpo: {distance: squared, beta: 0.1, reward_scale: 0.5}}",
              "{ipo: {beta: 0.1, length: sum, weight: 0.01}}", records_with([](TokenRecord& record) {
                record.labels[1].score = record.labels[0].score - 1;
                record.preferences[0].probability = 1;
              }));
}

TEST(PairCases, RewardAwareForwardKlWithOneGapIsExo) {
  const auto records = records_with([](TokenRecord& record) {
    record.labels[1].score = record.labels[0].score - 1;
    record.preferences[0].probability = 1;
  });
  expect_same("{rpo: {distance: forward_kl, beta: 0.1, reward_scale: 2.1972245773362196}}",  // log(0.9 / 0.1)
              "{exo: {label_smoothing: 0.1}}", records);
}

TEST(PairCases, WinProbabilitiesOfOneAndZeroGiveHalfOfSppoHard) {
  const auto records = records_with([](TokenRecord& record) {
    record.labels[0].score = 1;
    record.labels[1].score = 0;
    record.preferences[0].probability = 1;
  });
  expect_same("{sppo: {score: win_probability, beta: 0.1}}", "{sppo-hard: {weight: 0.5}}", records);
}

TEST(PairCases, MarginsAreOffsetsOrWeights) {
  const auto records = records_with(
      [](TokenRecord& record) { record.labels[1].score = record.labels[0].score - record.preferences[0].margin; });
  expect_same("{dpo: {margin: offset}}", "{odpo: {offset_fn: identity}}", records);
  auto weighted = records;
  for (auto& record : weighted) record.preferences[0].weight = record.preferences[0].margin;
  SequencePolicy policy;
  const auto scaled = step_of(objective_of("{dpo: {margin: scale}}"), records, policy, {0, 1, 2, 3});
  const auto by_weight = step_of(objective_of("dpo"), weighted, policy, {0, 1, 2, 3});
  EXPECT_NEAR(scaled.loss, by_weight.loss, 1e-12);
}

// With one pair in a step there is nothing to sort.
TEST(PairCases, TransportOfOnePairIsDpo) {
  auto one = labelled_records(1);
  expect_same("aot", "dpo", one);
  one[0].preferences[0].probability = 1;  // without pairs there is nobody to vote on
  expect_same("aot-unpaired", "dpo", one);
}

TEST(PairCases, SmoothingAHardLabelIsVotingForIt) {
  const auto hard = records_with([](TokenRecord& record) { record.preferences[0].probability = 1; });
  const auto soft = records_with([](TokenRecord& record) { record.preferences[0].probability = 0.8; });
  SequencePolicy policy;
  for (const std::string name : {"dpo", "hinge", "ipo", "discopop", "sigmoid-norm", "cpo", "simpo", "alphapo", "orpo",
                                 "exo", "odpo", "dpop-smaug", "dpo-shift", "mapl", "aot"}) {
    const auto smoothed = step_of(objective_of("{" + name + ": {label_smoothing: 0.2}}"), hard, policy, {0, 1, 2, 3});
    const std::string plain = name == "exo" ? "{exo: {label_smoothing: 0}}" : name;
    const auto voted = step_of(objective_of(plain), soft, policy, {0, 1, 2, 3});
    EXPECT_NEAR(smoothed.loss, voted.loss, 1e-12) << name;
    EXPECT_TRUE(at::allclose(smoothed.gradient, voted.gradient, 1e-10, 1e-12)) << name;
  }
}

// At share 1/2 a comparison says nothing: the loss does not know which answer was called chosen.
TEST(PairCases, HalfTheVotesNameNoWinner) {
  SequencePolicy policy;
  for (const std::string name : {"dpo", "hinge", "ipo", "nca", "bco-pair", "sppo-hard", "apo-zero", "apo-down",
                                 "discopop", "robust", "simpo", "wpo", "ld-dpo", "dpop-smaug", "dpo-shift"}) {
    const auto half = records_with([](TokenRecord& record) { record.preferences[0].probability = 0.5; });
    const auto swapped = records_with([](TokenRecord& record) {
      record.preferences[0].probability = 0.5;
      std::swap(record.preferences[0].chosen, record.preferences[0].rejected);
    });
    const auto yaml = name == "simpo" ? "{simpo: {gamma: 0}}" : name;
    const auto one = step_of(objective_of(yaml), half, policy, {0, 1, 2, 3});
    const auto other = step_of(objective_of(yaml), swapped, policy, {0, 1, 2, 3});
    EXPECT_NEAR(one.loss, other.loss, 1e-12) << name;
  }
}

TEST(PairCases, ImpossibleOptionsAreRefused) {
  for (const char* yaml :
       {"{dpo: {beta: 0}}", "{simpo: {beta: -1}}", "{dpo: {label_smoothing: 0.5}}", "{robust: {label_smoothing: 0.5}}",
        "{dpo: {ld_alpha: 1.5}}", "{discopop: {tau: 0}}", "{bonbon: {n: 1}}", "{bonbon: {alpha: 2}}",
        "{dpo-shift: {factor: 0}}", "{odpo: {alpha: -1}}", "{xpo: {alpha: -1}}", "{dpo: {divergence: js}}",
        "{spo-preference-degree: {levels: 1}}"}) {
    EXPECT_THROW(objective_of(yaml), ConfigError) << yaml;
  }
  for (const char* yaml : {"{simpo: {gamma: 0.5, gamma_beta_ratio: 0.5}}", "{exo: {label_smoothing: 0}}",
                           "{dpo-shift: {factor_min: 0.9, factor_max: 0.5}}",
                           "{rationale-preference: {objective: {exo: {label_smoothing: 0}}}}"}) {
    EXPECT_THROW(objective_of(yaml)[0]->check(), ConfigError) << yaml;
  }
}

// How many pairs and responses the objective makes of a record.
std::pair<std::size_t, std::size_t> laid_out(const std::string& yaml, const TokenRecord& record) {
  Layout layout;
  lay_out(objective_of(yaml), record.view(0), layout);
  const Batch batch = layout.take();
  return {batch.pairs.size(), batch.responses.size()};
}

TEST(PairCases, RecordsWithoutWhatALossNeedsAreLeftOut) {
  using Size = std::pair<std::size_t, std::size_t>;
  TokenRecord record = labelled_records()[0];
  EXPECT_EQ(laid_out("odpo", record), Size(1, 2));
  EXPECT_EQ(laid_out("{tpo: {}}", record), Size(1, 3));
  EXPECT_EQ(laid_out("rationale-preference", record), Size(1, 3));
  EXPECT_EQ(laid_out("{orpo: {nll_scope: full}}", record), Size(1, 3));
  EXPECT_EQ(laid_out("hypo", record), Size(1, 4));
  std::swap(record.labels[0].score, record.labels[1].score);  // the chosen answer has the lower score
  EXPECT_EQ(laid_out("odpo", record), Size(0, 0));
  EXPECT_EQ(laid_out("{odpo: {smallest_gap: 0.1}}", record), Size(1, 2));
  EXPECT_EQ(laid_out("{odpo: {offset_fn: identity}}", record), Size(1, 2));
  record.labels.clear();
  for (const char* yaml : {"odpo", "{odpo: {offset_fn: identity}}", "rpo", "sppo"}) {
    EXPECT_EQ(laid_out(yaml, record), Size(0, 0)) << yaml;
  }
  record.preferences[0].margin = 0;
  EXPECT_EQ(laid_out("{dpo: {margin: scale}}", record), Size(0, 0));
  record.preferences[0].rationale = -1;
  EXPECT_EQ(laid_out("rationale-preference", record), Size(0, 0));
  record.reference_answer = -1;
  EXPECT_EQ(laid_out("tpo", record), Size(0, 0));
  record.preferences.clear();
  for (const char* yaml : {"dpo", "cpo", "bonbon", "spin"}) EXPECT_EQ(laid_out(yaml, record), Size(0, 0)) << yaml;
}

TEST(PairCases, ScoredListsGiveTheirBestAndWorst) {
  TokenRecord record = labelled_records()[0];
  record.preferences.clear();
  record.labels[3].score = 9;
  for (const char* yaml : {"bonbon", "sppo"}) {
    Layout layout;
    lay_out(objective_of(yaml), record.view(0), layout);
    const Batch batch = layout.take();
    ASSERT_EQ(batch.pairs.size(), 1u) << yaml;
    EXPECT_EQ(batch.responses[static_cast<std::size_t>(batch.pairs[0].chosen)].completion, 3);
    EXPECT_EQ(batch.responses[static_cast<std::size_t>(batch.pairs[0].rejected)].completion, 1);
  }
}

TEST(PairCases, ADemonstrationIsChosenOverEverySample) {
  TokenRecord record = labelled_records()[0];
  record.preferences.clear();
  record.thumbs.clear();
  Layout layout;
  lay_out(objective_of("spin"), record.view(0), layout);
  const Batch batch = layout.take();
  ASSERT_EQ(batch.pairs.size(), 5u);
  for (const auto& pair : batch.pairs) EXPECT_EQ(batch.responses[static_cast<std::size_t>(pair.chosen)].completion, 4);
}

}  // namespace
}  // namespace attune
