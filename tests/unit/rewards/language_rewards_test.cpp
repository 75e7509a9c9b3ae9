// Rewards of a frozen language model against the numbers that its logits give by hand.
#include "attune/rewards/language_rewards.h"

#include <ATen/ops/log_softmax.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::random_ids;
using testing::tiny_llama;
using testing::tiny_model;

TokenRecord record_of(std::vector<std::int32_t> prompt, const std::vector<std::vector<std::int32_t>>& texts) {
  TokenRecord record;
  for (const auto& ids : texts) {
    record.completions.push_back({.ids = ids, .scored = std::vector<std::uint8_t>(ids.size(), 1)});
    record.scored_tokens.push_back(std::ssize(ids));
    record.sequence_tokens.push_back(std::ssize(prompt) + std::ssize(ids));
  }
  record.prompt = std::move(prompt);
  return record;
}

// [tokens - 1, V]: after each token but the last of a sequence that stands alone.
Tensor logits_after(const LanguageModel& model, const std::vector<std::int32_t>& ids) {
  const at::NoGradGuard no_gradient;
  return model.logits(forest_of_sequences(std::vector<std::vector<std::int32_t>>{ids}));
}

// log p of each token of a text, one pass over a sequence that stands alone.
double by_hand(LanguageModel& model, const std::vector<std::int32_t>& prompt, const std::vector<std::int32_t>& text) {
  std::vector<std::int32_t> ids = prompt;
  ids.insert(ids.end(), text.begin(), text.end());
  const Tensor logps = at::log_softmax(logits_after(model, ids), -1);
  double sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    sum += logps[static_cast<std::int64_t>(prompt.size() + i) - 1][text[i]].item<double>();
  }
  return sum;
}

TEST(YesNoReward, IsTheSigmoidOfTheDifferenceOfTheLogits) {
  LanguageModel model = tiny_model(tiny_llama);
  Random random(1, "prompts");
  for (int i = 0; i < 5; ++i) {
    const auto prompt = random_ids(random, 4 + i);
    const std::int32_t yes = 7, no = 12;
    const auto said = likelihoods(model, std::vector{record_of(prompt, {{yes}, {no}})}, 100).at(0);
    auto longer = prompt;
    longer.push_back(0);
    const Tensor logits = logits_after(model, longer)[static_cast<std::int64_t>(prompt.size()) - 1];
    const double expected = 1 / (1 + std::exp((logits[no] - logits[yes]).item<double>()));
    EXPECT_NEAR(yes_no_reward(said[0], said[1]), expected, 1e-9);
    EXPECT_NEAR(yes_no_reward(said[0], said[1], false), 1 - expected, 1e-9);
  }
  EXPECT_EQ(yes_no_reward({.logp = -2000}, {.logp = 0}), 0);
}

TEST(FollowUpReward, IsTheDifferenceOfMeanLogProbabilitiesATokenOverAspects) {
  LanguageModel model = tiny_model(tiny_llama);
  Random random(2, "texts");
  const auto prompt = random_ids(random, 6), other = random_ids(random, 9);
  const std::vector<std::vector<std::int32_t>> ids{random_ids(random, 2), random_ids(random, 4), random_ids(random, 3),
                                                   random_ids(random, 1), random_ids(random, 5)};
  // Two aspects; the first has two texts of content users.
  const std::vector<FollowUp> texts{{"one", true}, {"one", true}, {"one", false}, {"two", true}, {"two", false}};
  const auto said = likelihoods(model, std::vector{record_of(prompt, ids), record_of(other, ids)}, 16);
  for (const auto& [start, likelihood] : {std::pair{prompt, said[0]}, std::pair{other, said[1]}}) {
    const auto mean = [&](std::size_t i) { return by_hand(model, start, ids[i]) / static_cast<double>(ids[i].size()); };
    const double one = (mean(0) + mean(1)) / 2 - mean(2), two = mean(3) - mean(4);
    EXPECT_NEAR(follow_up_reward(texts, likelihood), (one + two) / 2, 1e-9);
  }
}

TEST(FollowUps, HoldAsManyOfEitherKindForEachOfSixAspects) {
  std::map<std::string_view, std::pair<int, int>> counts;
  for (const FollowUp& one : follow_ups()) {
    EXPECT_FALSE(one.text.empty());
    (one.content ? counts[one.aspect].first : counts[one.aspect].second) += 1;
  }
  EXPECT_EQ(counts.size(), 6U);
  for (const auto& [aspect, count] : counts) EXPECT_EQ(count.first, count.second) << aspect;
}

}  // namespace
}  // namespace attune
