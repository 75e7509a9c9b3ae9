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

TEST(StepPlan, ProbesAreScoredForTheStatisticsAloneAndAnswersForTheLossAlone) {
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(2), thumb_after(3)};
  const StepPlan plan = plan_step({{0, 1}, {2}}, objectives("kto"), records, {});
  EXPECT_EQ(lenders(plan), (Lenders{{0, 1}, {1, 2}, {2, 0}}));
  ASSERT_EQ(plan.batches.size(), 2u);
  EXPECT_EQ(plan.batches[0].responses.size(), 2u);
  for (const Batch& batch : plan.batches) {
    for (const auto& response : batch.responses) EXPECT_EQ(response.role, ResponseRole::chosen);
  }
  EXPECT_EQ(plan.counts.of({.per = Per::response}), 3);
}

TEST(StepPlan, AFrozenColumnServesTheLossThoughProbesAreInTheStep) {
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(2)};
  const StepPlan plan = plan_step({{0, 1}}, objectives("kto"), records, {{"reference", {{-1.0}, {-2.0}}}});
  EXPECT_TRUE(plan.batches.at(0).known_logps.contains("reference"));
  EXPECT_FALSE(plan.gathered.at(0).known_logps.contains("reference"));
}

TEST(StepPlan, APromptIsNotItsOwnProbe) {
  // Rows of one prompt stand together in many data sets: the good and the bad answer.
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(1), thumb_after(2), thumb_after(2)};
  EXPECT_EQ(lenders(plan_step({{0, 1, 2, 3}}, objectives("kto"), records, {})),
            (Lenders{{0, 2}, {1, 2}, {2, 0}, {3, 0}}));
}

TEST(StepPlan, AStepOfOneRecordBorrowsAPromptOfTheData) {
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(1), thumb_after(3)};
  EXPECT_EQ(lenders(plan_step({{0}}, objectives("kto"), records, {})), (Lenders{{0, 2}}));
  EXPECT_EQ(lenders(plan_step({{2}}, objectives("kto"), records, {})), (Lenders{{2, 0}}));
  const std::vector<TokenRecord> alone{thumb_after(1)};
  const StepPlan plan = plan_step({{0}}, objectives("kto"), alone, {});
  EXPECT_TRUE(plan.gathered.empty());
  EXPECT_EQ(plan.batches.size(), 1u);
}

TEST(StepPlan, WithoutStatisticsNothingIsGathered) {
  const std::vector<TokenRecord> records{thumb_after(1), thumb_after(2)};
  EXPECT_TRUE(plan_step({{0, 1}}, objectives("apo-zero-unpaired"), records, {}).gathered.empty());
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
