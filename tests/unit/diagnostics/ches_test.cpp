// CHES against a direct computation, and what it foretells about DPO.
#include "attune/diagnostics/ches.h"

#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attune/stats/ranks.h"
#include "unit/diagnostics/support.h"

namespace attune::diagnostics {
namespace {

using testing::number;
using testing::tiny_model;

// The sum of the states that predict the answer's tokens, from the whole sequence alone.
Tensor state_sum(const LanguageModel& model, const std::vector<std::int32_t>& prompt,
                 const std::vector<std::int32_t>& answer) {
  std::vector<std::int32_t> ids = prompt;
  ids.insert(ids.end(), answer.begin(), answer.end());
  const std::vector<std::vector<std::int32_t>> sequences = {ids};
  const Tensor hidden = model.hidden(forest_of_sequences(sequences)).detach();  // [T, d]
  const auto first = static_cast<std::int64_t>(prompt.size()) - 1;
  return hidden.slice(0, first, first + static_cast<std::int64_t>(answer.size())).sum(0);
}

TEST(Ches, EqualsADirectComputationOnEveryPairOfATinyModel) {
  const LanguageModel model = tiny_model(testing::small_llama, at::kDouble);
  const auto records = testing::random_pairs(30);
  const auto pairs = compared_pairs(records);
  const PairStates states = pair_states(model, records, pairs, {.batch_tokens = 40});
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto &prompt = records[i].prompt, &chosen = records[i].completions[0].ids;
    const auto& rejected = records[i].completions[1].ids;
    const Tensor plus = state_sum(model, prompt, chosen), minus = state_sum(model, prompt, rejected);
    const double across = (plus * minus).sum().item<double>(), own = (plus * plus).sum().item<double>();
    const auto n = static_cast<double>(chosen.size()), m = static_cast<double>(rejected.size());
    EXPECT_NEAR(states.ches[i].raw, across - own, 1e-9);
    EXPECT_NEAR(states.ches[i].normalised, across / (n * m) - own / (n * n), 1e-9);
    EXPECT_NEAR(states.logps[i].chosen, testing::brute_force_logp(model, prompt, chosen), 1e-9);
    EXPECT_NEAR(states.logps[i].rejected, testing::brute_force_logp(model, prompt, rejected), 1e-9);
  }
}

TEST(Ches, TheMeanDistributionIsTheSoftmaxWhereChosenAnswersAreScored) {
  const LanguageModel model = tiny_model(testing::small_llama, at::kDouble);
  const auto records = testing::random_pairs(7);
  const PairStates states = pair_states(model, records, compared_pairs(records), {.distribution = true});
  Tensor sum = at::zeros({61}, at::kDouble);
  double rows = 0;
  for (const TokenRecord& record : records) {
    for (std::size_t k = 0; k < record.completions[0].ids.size(); ++k) {
      std::vector<std::int32_t> before = record.prompt;
      before.insert(before.end(), record.completions[0].ids.begin(),
                    record.completions[0].ids.begin() + static_cast<std::ptrdiff_t>(k));
      before.push_back(0);  // what is predicted does not matter
      const std::vector<std::vector<std::int32_t>> sequences = {before};
      sum += at::softmax(model.logits(forest_of_sequences(sequences)), 1)[-1].detach();
      rows += 1;
    }
  }
  EXPECT_LT(testing::distance(states.chosen_distribution, sum / rows), 1e-12);
}

// What DPO on these pairs alone does to each chosen answer's log-probability.
std::vector<double> learned(const LanguageModel& start, std::span<const TokenRecord> records, int steps, double rate) {
  LanguageModel before = start.frozen_copy(), after = testing::learn_pairs(start, records, steps, rate);
  const auto pairs = compared_pairs(records);
  const auto first = pair_logps(before, records, pairs, 4096), last = pair_logps(after, records, pairs, 4096);
  std::vector<double> change;
  for (std::size_t i = 0; i < pairs.size(); ++i) change.push_back(last[i].chosen - first[i].chosen);
  return change;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// A model that says token 0 wherever it stands: every embedding and the head's row 0 share a direction.
LanguageModel one_word_model(std::uint64_t seed) {
  LanguageModel model = tiny_model(testing::small_llama, at::kDouble, seed);
  const at::NoGradGuard off;
  Tensor embedding = model.parameters().part("model.embed_tokens.weight"),
         head = model.parameters().part("lm_head.weight");
  embedding.select(1, 0).add_(2);
  head.select(0, 0).zero_().select(0, 0).fill_(2);
  return model;
}

// Half of the pairs are near-duplicates: the rejected answer is the chosen one with more words behind it. In the other
// half the answers share nothing and the chosen one is the longer.
std::vector<TokenRecord> near_and_distinct(std::int64_t pairs) {
  std::vector<TokenRecord> records;
  for (std::int64_t i = 0; i < pairs; ++i) {
    Random random(8, "toy", {i});
    const bool near = i % 2 == 0;
    const auto prompt = testing::random_ids(random, 4);
    const auto chosen = testing::random_ids(random, near ? 2 : 6);
    auto rejected = testing::random_ids(random, near ? 6 : 2);
    if (near) rejected.insert(rejected.begin(), chosen.begin(), chosen.end());
    records.push_back(testing::pair_record(prompt, chosen, rejected));
  }
  return records;
}

TEST(Ches, DpoLowersTheChosenAnswersOfTheHighHalfAndRaisesThoseOfTheLowHalf) {
  const LanguageModel start = one_word_model(2);
  const auto records = near_and_distinct(12);
  const PairStates states = pair_states(start, records, compared_pairs(records), {});
  std::vector<double> scores, drops;
  std::vector<TokenRecord> high, low;
  for (std::size_t i = 0; i < records.size(); ++i) {
    scores.push_back(states.ches[i].raw);
    EXPECT_EQ(scores.back() > 0, i % 2 == 0) << "near-duplicates score above 0, distinct pairs below";
    (scores.back() > 0 ? high : low).push_back(records[i]);
    drops.push_back(-learned(start, std::span(records).subspan(i, 1), 1, 0.001)[0]);
  }
  const double fall = mean(learned(start, high, 3, 0.01)), rise = mean(learned(start, low, 3, 0.01));
  EXPECT_LT(fall, -0.5);
  EXPECT_GT(rise, 0.5);
  EXPECT_GT(rank_correlation(scores, drops), 0.5);
  RecordProperty("chosen_change_high_low", std::to_string(fall) + " " + std::to_string(rise));
}

TEST(LikelihoodDisplacement, RanksFlagsAndSeesWhatTrainingDid) {
  const LanguageModel reference = tiny_model(testing::small_llama, at::kDouble, 1);
  const LanguageModel model = tiny_model(testing::small_llama, at::kDouble, 2);
  const auto records = testing::random_pairs(20);
  const auto pairs = compared_pairs(records);
  Subject subject{.models = {testing::source_of(model)}};
  subject.reference = testing::source_of(reference);
  subject.data.push_back({.name = "pairs", .records = records});
  const ReportPage page = testing::diagnostic("likelihood-displacement-ches")->run(subject);
  const PairStates before = pair_states(reference, records, pairs, {}), after = pair_states(model, records, pairs, {});
  const auto& ranked = page.json.find("ranked")->items();
  ASSERT_EQ(ranked.size(), 20U);
  double fell = 0, last = INFINITY;
  for (std::size_t rank = 0; rank < ranked.size(); ++rank) {
    const auto i = static_cast<std::size_t>(number(ranked[rank], "record"));
    EXPECT_LE(number(ranked[rank], "ches_normalised"), last);
    last = number(ranked[rank], "ches_normalised");
    EXPECT_EQ(last, before.ches[i].normalised) << "the score must look at the model before it learned";
    EXPECT_NEAR(number(ranked[rank], "chosen_change"), after.logps[i].chosen - before.logps[i].chosen, 1e-12);
    fell += after.logps[i].chosen < before.logps[i].chosen ? 1 : 0;
    EXPECT_EQ(ranked[rank].find("flagged")->boolean(), rank < 1);  // 5 % of 20
  }
  EXPECT_DOUBLE_EQ(testing::share(page.json, "chosen_fell"), fell / 20);
  EXPECT_EQ(page.json.find("top_gaining_tokens")->size(), 10U);
  EXPECT_NE(html_of(page).find("<svg"), std::string::npos);
  subject.reference.reset();
  subject.models = {testing::source_of(reference)};
  const Json alone = testing::diagnostic("likelihood-displacement-ches")->run(subject).json;
  EXPECT_EQ(alone.find("chosen_fell"), nullptr);
  EXPECT_EQ(number(alone, "highest"), number(page.json, "highest"));
}

}  // namespace
}  // namespace attune::diagnostics
