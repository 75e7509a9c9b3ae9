// The arithmetic of a step against counts worked by hand.
#include "attune/train/limits.h"

#include <gtest/gtest.h>

#include "support/tiny_models.h"

namespace attune {
namespace {

TokenRecord pair_of(std::size_t prompt, std::size_t chosen, std::size_t rejected) {
  TokenRecord record{.prompt = std::vector<std::int32_t>(prompt, 1)};
  for (const std::size_t size : {chosen, rejected}) {
    record.completions.push_back(
        {.ids = std::vector<std::int32_t>(size, 2), .scored = std::vector<std::uint8_t>(size, 1)});
  }
  return record;
}

Batch batch_of_pair() {
  Batch batch;
  batch.responses = {{.record = 0, .completion = 0, .prompt = 0, .tokens = 3},
                     {.record = 0, .completion = 1, .prompt = 0, .tokens = 5}};
  return batch;
}

TEST(PassWork, CountsAPromptOnceAndWhatItsAnswersSee) {
  const std::vector<TokenRecord> records{pair_of(10, 3, 5)};
  const PassWork work = work_of(batch_of_pair(), records);
  EXPECT_EQ(work.tokens, 18);
  EXPECT_EQ(work.scored, 8);
  EXPECT_EQ(work.last_rows, 9);  // the prompt's last row predicts the first token of both answers
  EXPECT_EQ(work.attention, 55 + 10 * 8 + 6 + 15);
}

TEST(ForwardFlop, IsTwoAWeightAndTokenFourAKeyAndChannel) {
  const LanguageModel model = testing::tiny_model(testing::tiny_llama, at::kFloat);
  const PassWork work{.tokens = 18, .last_rows = 9, .scored = 8, .attention = 156};
  // 24 wide, 4 heads and 2 of keys of 6, 40 in the feed-forward, 3 layers, 61 words.
  const double qkv = 24 * (4 + 2 + 2) * 6, rest = 24 * 24 + 3 * 24 * 40;
  const double expected = 2 * (3 * qkv * 18 + 2 * rest * 18 + rest * 9) + 4 * 3 * 24 * 156 + 2 * 24 * 61 * 8;
  EXPECT_DOUBLE_EQ(forward_flop(model, work), expected);
}

TEST(LimitSeconds, TakesThreePassesAndTwoUnderAnAdapter) {
  LanguageModel model = testing::tiny_model(testing::tiny_llama, at::kFloat);
  const std::vector<TokenRecord> records{pair_of(10, 3, 5)};
  StepPlan plan;
  plan.batches = {batch_of_pair()};
  const Ceilings no_memory{.product = 1, .copy = 1e300};
  const double forward = forward_flop(model, work_of(batch_of_pair(), records));
  EXPECT_DOUBLE_EQ(limit_seconds(model, plan, records, no_memory), 3 * forward);
  plan.gathered = {batch_of_pair()};
  EXPECT_DOUBLE_EQ(limit_seconds(model, plan, records, no_memory), 4 * forward);
  model.attach_adapter({}, 0);
  EXPECT_DOUBLE_EQ(limit_seconds(model, plan, records, no_memory), 3 * forward);
}

TEST(MeasuredCeilings, AreThoseOfAMachine) {
  const Ceilings ceilings = measure_ceilings(0.05);
  EXPECT_GT(ceilings.product, 1e8);
  EXPECT_GT(ceilings.copy, 1e7);
}

}  // namespace
}  // namespace attune
