#include "attune/train/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "attune/policy/packing.h"

namespace attune {
namespace {

std::vector<TokenRecord> records_of(const std::vector<std::size_t>& sizes) {
  std::vector<TokenRecord> records;
  for (const std::size_t size : sizes) records.push_back({.prompt = std::vector<std::int32_t>(size, 1)});
  return records;
}

std::vector<std::int64_t> flat(const std::vector<std::vector<std::int64_t>>& bins) {
  std::vector<std::int64_t> all;
  for (const auto& bin : bins) all.insert(all.end(), bin.begin(), bin.end());
  std::sort(all.begin(), all.end());
  return all;
}

TEST(Batches, EveryRecordIsSeenOnceAnEpochAndOrdersDiffer) {
  const auto records = records_of(std::vector<std::size_t>(10, 5));
  const Batches batches(records, {.records = 4, .epochs = 2, .seed = 1});
  EXPECT_EQ(batches.steps_per_epoch(), 3);
  EXPECT_EQ(batches.steps(), 6);
  std::vector<std::int64_t> first, second;
  for (std::int64_t step = 0; step < 3; ++step) {
    for (const auto i : flat(batches.at(step))) first.push_back(i);
    for (const auto i : flat(batches.at(step + 3))) second.push_back(i);
  }
  EXPECT_NE(first, second);
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), 10u);
  EXPECT_EQ(std::set(second.begin(), second.end()).size(), 10u);
}

TEST(Batches, AStepIsAPureFunctionOfItsNumber) {
  const auto records = records_of({5, 1, 9, 3, 7, 2, 8});
  const Batches a(records, {.records = 3, .tokens = 12, .epochs = 3, .seed = 9});
  const Batches b(records, {.records = 3, .tokens = 12, .epochs = 3, .seed = 9});
  const auto late = a.at(7);
  a.at(0);
  EXPECT_EQ(a.at(7), late);
  EXPECT_EQ(b.at(7), late);
}

TEST(Batches, BinsKeepTheBudgetExceptForRecordsLargerThanIt) {
  const auto records = records_of({5, 1, 9, 30, 7, 2, 8});
  const auto bins = bins_of(records, 12);
  EXPECT_EQ(flat(bins), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6}));
  for (const auto& bin : bins) {
    std::int64_t sum = 0;
    for (const auto i : bin) sum += records[static_cast<std::size_t>(i)].tokens();
    EXPECT_TRUE(sum <= 12 || bin.size() == 1);
  }
  // 30 | 9+2+1 | 8 | 7+5: four bins, and no fewer can hold 32 tokens beside the large one.
  EXPECT_EQ(bins.size(), 4u);
}

TEST(Batches, FractionsOfAnEpochRoundUpToSteps) {
  const auto records = records_of(std::vector<std::size_t>(10, 5));
  EXPECT_EQ(Batches(records, {.records = 4, .epochs = 0.5}).steps(), 2);
  EXPECT_EQ(Batches(records, {.records = 4, .epochs = 1, .steps = 7}).steps(), 7);
}

}  // namespace
}  // namespace attune
