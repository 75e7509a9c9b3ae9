// Heads beside the model, whole sequences and marks through the language policy; and a mask that learns which token
// decides.
#include "attune/model/output_heads.h"

#include <ATen/Parallel.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <gtest/gtest.h>

#include <numeric>

#include "attune/base/log.h"
#include "attune/config/read.h"
#include "attune/policy/language.h"
#include "attune/train/micro_batches.h"
#include "attune/train/run.h"
#include "attune/train/step.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

std::vector<TokenRecord> two_answers() {
  TokenRecord record;
  record.prompt = {3, 4, 5};
  record.completions = {{{6, 7, 8}, {1, 1, 1}}, {{9, 10}, {0, 1}}};
  record.scored_tokens = {3, 1};
  record.sequence_tokens = {6, 5};
  record.preferences = {{.chosen = 0, .rejected = 1}};
  return {record};
}

Batch both(Extent extent = Extent::answer) {
  const auto records = two_answers();
  Layout layout;
  const RecordView view = records[0].view(0);
  layout.add(view, 0, ResponseRole::chosen, extent);
  layout.add(view, 1, ResponseRole::rejected, extent);
  layout.end_record();
  return layout.take();
}

// All hidden states of a sequence, [T, d].
Tensor states_of(const LanguageModel& model, const std::vector<std::int32_t>& ids) {
  return model.hidden(forest_of_sequences(std::vector<std::vector<std::int32_t>>{ids}));
}

TEST(OutputHeads, LookAtTheStatesThatTheirRowsName) {
  LanguageModel model = testing::tiny_model(testing::tiny_llama);
  const auto records = two_answers();
  LanguagePolicy policy(model, records);
  const std::vector<HeadSpec> specs{{.name = "value", .rows = HeadRows::before_answer},
                                    {.name = "reward", .rows = HeadRows::last_token, .outputs = 2},
                                    {.name = "token", .rows = HeadRows::scored_tokens}};
  OutputHeads& heads = model.attach_heads(specs, 5);
  heads.parameters().flat().normal_();
  const Responses responses = policy.score(both(), {.heads = specs});
  const Tensor first = states_of(model, {3, 4, 5, 6, 7, 8}), second = states_of(model, {3, 4, 5, 9, 10});
  const auto at = [&](const char* name, const Tensor& rows) {
    return at::mm(rows, heads.parameters().leaf_of("heads/" + std::string(name) + ".weight").t());
  };
  const auto rows = [](const Tensor& states, std::int64_t begin, std::int64_t end) {
    return states.slice(0, begin, end);
  };
  // The first answer's tokens are predicted by rows 2, 3, 4; the second scores its second token only, from row 3.
  EXPECT_TRUE(at::allclose(responses.heads.at("value"), at("value", at::cat({rows(first, 2, 3), rows(second, 3, 4)})),
                           1e-9, 1e-9));
  EXPECT_TRUE(at::allclose(responses.heads.at("reward"), at("reward", at::cat({rows(first, 5, 6), rows(second, 4, 5)})),
                           1e-9, 1e-9));
  EXPECT_TRUE(at::allclose(responses.heads.at("token"), at("token", at::cat({rows(first, 2, 5), rows(second, 3, 4)})),
                           1e-9, 1e-9));
}

TEST(OutputHeads, SurviveTheirFile) {
  const testing::TemporaryDirectory folder;
  OutputHeads heads({{.name = "value", .outputs = 2}}, 8, 3, 1, at::kFloat);
  heads.parameters().flat().normal_();
  heads.save(disk(), folder.path());
  OutputHeads again({{.name = "value", .outputs = 2}}, 8, 3, 1, at::kFloat);
  EXPECT_EQ(again.load(folder.path()), 1u);
  EXPECT_TRUE(at::equal(again.parameters().flat(), heads.parameters().flat()));
  OutputHeads other({{.name = "value", .outputs = 3}}, 8, 3, 1, at::kFloat);
  EXPECT_EQ(other.load(folder.path()), 0u) << "another shape is another head";
}

TEST(WholeSequences, ScoreThePromptToo) {
  LanguageModel model = testing::tiny_model(testing::tiny_llama);
  const auto records = two_answers();
  LanguagePolicy policy(model, records);
  const Responses whole = policy.score(both(Extent::whole), {});
  const std::vector<std::vector<std::int32_t>> ids{{3, 4, 5, 6, 7, 8}, {3, 4, 5, 9, 10}};
  const Tensor alone = model.score(forest_of_sequences(ids)).logps;  // 5 and 4 tokens
  EXPECT_NEAR(whole.logps[0].item<double>(), alone.slice(0, 0, 5).sum().item<double>(), 1e-9);
  EXPECT_NEAR(whole.logps[1].item<double>(), alone.slice(0, 5).sum().item<double>(), 1e-9);
  EXPECT_EQ(whole.lengths[0].item<double>(), 5);
  EXPECT_EQ(whole.lengths[1].item<double>(), 4);
}

// The works_when of sparsepo: after a word that announces it (50), one token decides which answer is preferred (40 is
// good, 41 bad); all others are the same noise on both sides. The learned mask is larger where it is decided.
std::vector<TokenRecord> one_token_decides(std::int64_t count) {
  Random random(7, "sparsepo");
  std::vector<TokenRecord> records;
  for (std::int64_t i = 0; i < count; ++i) {
    TokenRecord record{.prompt = {1, static_cast<std::int32_t>(2 + random.below(8))}};
    TokenCompletion answer{.ids = {}, .scored = std::vector<std::uint8_t>(6, 1)};
    for (int token = 0; token < 6; ++token) answer.ids.push_back(static_cast<std::int32_t>(10 + random.below(20)));
    answer.ids[2] = 50;
    for (const std::int32_t deciding : {40, 41}) {
      answer.ids[3] = deciding;
      record.completions.push_back(answer);
    }
    record.scored_tokens = {6, 6};
    record.sequence_tokens = {8, 8};
    record.preferences = {{.chosen = 0, .rejected = 1}};
    records.push_back(record);
  }
  return records;
}

TEST(SparsePo, LearnedMaskConcentratesOnTheTokenThatDecides) {
  at::set_num_threads(1);
  const auto records = one_token_decides(16);
  RunSettings settings;
  read_config(parse_yaml("objective: {sparsepo: {mask: common}}", "test"), settings);
  const Needs needs = needs_of(settings.objective);
  LanguageModel model = testing::tiny_model(testing::tiny_llama, at::kFloat);
  model.attach_heads(needs.heads, 1);
  LanguagePolicy policy(model, records);
  policy.freeze("reference", std::make_shared<const LanguageModel>(model.frozen_copy()));
  Step step({&model.trainable(), &model.heads()->parameters()}, {.adamw = {}});
  std::vector<std::int64_t> all(records.size());
  std::iota(all.begin(), all.end(), 0);
  const StepPlan plan = plan_step({all}, settings.objective, {.records = records, .frozen = {}});
  const auto score = [&] { return policy.score(plan.batches.front(), needs); };
  for (int i = 0; i < 40; ++i) {
    step.begin(3e-3);
    step.accumulate(total(compute(settings.objective, score(), {{}}, {}), plan.counts));
    step.apply();
  }
  const at::AutoGradMode no_gradient(false);
  // The state that predicts a token cannot know it: what stands out is the state in front of it.
  const Tensor mask = score().heads.at("sparsepo-mask").view({-1, 6}).mean(0);
  const double deciding = mask[3].item<double>(), others = (mask.sum() - mask[3]).item<double>() / 5;
  EXPECT_GT(deciding, others) << "mask " << deciding << " where it is decided, " << others << " elsewhere";
  RecordProperty("mask_deciding", std::to_string(deciding));
  RecordProperty("mask_others", std::to_string(others));
}

}  // namespace
}  // namespace attune
