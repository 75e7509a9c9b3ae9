// The plan of a step: who lends prompts for KL probes, and what is scored for statistics and for losses.
#include "attune/train/micro_batches.h"

#include <gtest/gtest.h>

#include "attune/config/read.h"

namespace attune {
namespace {

// One answer with a thumb up after the prompt token `prompt`.
TokenRecord thumb_after(std::int32_t prompt) {
  TokenRecord record;
  record.prompt = {prompt};
  record.completions = {{.ids = {7, 8}, .scored = {1, 1}}};
  record.scored_tokens = {2};
  record.sequence_tokens = {3};
  record.thumbs = {1};
  return record;
}

ObjectiveList objectives(std::string_view name) {
  ObjectiveList list;
  list.emplace_back(*find_part<Objective>(name));
  return list;
}

std::vector<std::pair<std::int64_t, std::int64_t>> lenders(const StepPlan& plan) {
  std::vector<std::pair<std::int64_t, std::int64_t>> result;
  for (const Batch& batch : plan.gathered) {
    for (const auto& response : batch.responses) result.emplace_back(response.record, response.prompt);
  }
  return result;
}
using Lenders = std::vector<std::pair<std::int64_t, std::int64_t>>;

StepPlan kto_plan(const std::vector<std::vector<std::int64_t>>& bins, const std::vector<TokenRecord>& records,
                  std::int64_t block, const std::map<std::string, FrozenColumns>& frozen = {}) {
  const auto prompts = probe_prompts(records, block);
  return plan_step(bins, objectives("kto"), {.records = records, .probe_prompts = prompts, .frozen = frozen});
}

TEST(StepPlan, ProbesAreScoredForTheStatisticsAloneAndAnswersForTheLossAlone) {
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(2), thumb_after(3)};
  const StepPlan plan = kto_plan({{0, 1}, {2}}, records, 3);
  EXPECT_EQ(lenders(plan), (Lenders{{0, 1}, {1, 2}, {2, 0}}));
  ASSERT_EQ(plan.batches.size(), 2u);
  EXPECT_EQ(plan.batches[0].responses.size(), 2u);
  for (const Batch& batch : plan.batches) {
    for (const auto& response : batch.responses) EXPECT_EQ(response.role, ResponseRole::chosen);
  }
  EXPECT_EQ(plan.counts.of({.per = Per::response}), 3);
}

TEST(StepPlan, FrozenColumnsServeAnswersAndProbes) {
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(2)};
  const FrozenColumn answers{{-1.0}, {-2.0}}, probes{{-3.0}, {-4.0}};
  const StepPlan plan = kto_plan({{0, 1}}, records, 2, {{"reference", {.answers = answers, .probes = probes}}});
  EXPECT_EQ(plan.batches.at(0).known_logps.at("reference")[1].item<double>(), -2.0);
  EXPECT_EQ(plan.gathered.at(0).known_logps.at("reference")[1].item<double>(), -4.0);
  const StepPlan half = kto_plan({{0, 1}}, records, 2, {{"reference", {.answers = answers}}});
  EXPECT_FALSE(half.gathered.at(0).known_logps.contains("reference"));
}

TEST(StepPlan, APromptIsNotItsOwnProbe) {
  // Rows of one prompt stand together in many data sets: the good and the bad answer.
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(1), thumb_after(2), thumb_after(2)};
  EXPECT_EQ(lenders(kto_plan({{0, 1, 2, 3}}, records, 4)), (Lenders{{0, 2}, {1, 2}, {2, 0}, {3, 0}}));
}

TEST(StepPlan, ProbesPairNeighboursInTheDataWhateverTheStepHolds) {
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(2), thumb_after(3), thumb_after(4)};
  EXPECT_EQ(lenders(kto_plan({{3, 0}}, records, 2)), (Lenders{{3, 2}, {0, 1}}));
}

TEST(StepPlan, ABlockOfOnePromptBorrowsOneOfTheData) {
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(1), thumb_after(3)};
  EXPECT_EQ(lenders(kto_plan({{0}}, records, 2)), (Lenders{{0, 2}}));
  EXPECT_EQ(lenders(kto_plan({{2}}, records, 1)), (Lenders{{2, 0}}));
  const std::vector<TokenRecord> alone{thumb_after(1)};
  const StepPlan plan = kto_plan({{0}}, alone, 8);
  EXPECT_TRUE(plan.gathered.empty());
  EXPECT_EQ(plan.batches.size(), 1u);
}

TEST(StepPlan, WithoutStatisticsNothingIsGathered) {
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(2)};
  EXPECT_TRUE(
      plan_step({{0, 1}}, objectives("apo-zero-unpaired"), {.records = records, .frozen = {}}).gathered.empty());
}

TEST(BatchWith, KeepsPairsAndGroupsThatAreWhole) {
  Batch batch;
  batch.responses = {{.record = 0, .role = ResponseRole::chosen},
                     {.record = 0, .role = ResponseRole::kl_probe},
                     {.record = 0, .role = ResponseRole::rejected},
                     {.record = 1, .role = ResponseRole::ranked},
                     {.record = 1, .role = ResponseRole::ranked}};
  batch.pairs = {{.chosen = 0, .rejected = 2, .weight = 3}, {.chosen = 1, .rejected = 2}};
  batch.group = {0, 0, -1, 1, 1};
  batch.records = 2;
  const Batch kept = batch.with(Roles::all().without(ResponseRole::kl_probe));
  ASSERT_EQ(kept.responses.size(), 4u);
  ASSERT_EQ(kept.pairs.size(), 1u);
  EXPECT_EQ(kept.pairs[0].rejected, 1);
  EXPECT_EQ(kept.pairs[0].weight, 3);
  EXPECT_EQ(kept.group, (std::vector<std::int64_t>{-1, -1, 0, 0}));
  EXPECT_EQ(kept.records, 2);
}

}  // namespace
}  // namespace attune
