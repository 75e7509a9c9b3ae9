// Objectives on single answers and lists through a real model: forests with probes, heads and vocabulary terms, steps
// that move the answers apart, and micro-batches that change nothing.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/config/read.h"
#include "attune/policy/language.h"
#include "attune/train/micro_batches.h"
#include "attune/train/run.h"
#include "attune/train/step.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

// A good answer, a bad one and an unjudged one to each of six prompts; scores and the sampler's log-probabilities too.
std::vector<TokenRecord> judged_answers() {
  Random random(3, "answers");
  std::vector<TokenRecord> records;
  for (std::int32_t i = 0; i < 6; ++i) {
    TokenRecord record{.prompt = {1, 2 + i, 9}};
    for (const std::int32_t first : {40, 41, 42}) {
      const std::int64_t tokens = 2 + static_cast<std::int64_t>(random.below(3));
      TokenCompletion answer{.ids = {first}, .scored = std::vector<std::uint8_t>(static_cast<std::size_t>(tokens), 1)};
      for (std::int64_t token = 1; token < tokens; ++token) {
        answer.ids.push_back(static_cast<std::int32_t>(10 + random.below(20)));
      }
      record.completions.push_back(answer);
      record.scored_tokens.push_back(tokens);
      record.sequence_tokens.push_back(3 + tokens);
    }
    record.thumbs = {1, -1, 0};
    record.preferences = {{.chosen = 0, .rejected = 1}};
    record.labels = {{.score = 1, .behaviour_logp = -10}, {.score = 0, .behaviour_logp = -10}, {}};
    records.push_back(std::move(record));
  }
  return records;
}

// Every record's probe has the prompt of the next one.
StepPlan plan(const std::vector<std::vector<std::int64_t>>& bins, const ObjectiveList& objectives,
              std::span<const TokenRecord> records) {
  const auto prompts = probe_prompts(records, std::ssize(records));
  return plan_step(bins, objectives, {.records = records, .probe_prompts = prompts, .frozen = {}});
}

class Trainer {
 public:
  explicit Trainer(const std::string& yaml) : model_(testing::tiny_model(testing::tiny_llama, at::kDouble)) {
    read_config(parse_yaml("objective: " + yaml, "test"), settings_);
    needs_ = needs_of(settings_.objective);
    if (!needs_.heads.empty()) model_.attach_heads(needs_.heads, 1);
    policy_.emplace(model_, records_);
    policy_->freeze("reference", std::make_shared<const LanguageModel>(model_.frozen_copy()));
  }

  struct Outcome {
    double loss = 0, gradient = 0;
  };
  // One step's loss and gradient norm, with `bins` as its micro-batches; applied at a rate above 0.
  Outcome step(const std::vector<std::vector<std::int64_t>>& bins, double rate = 0) {
    std::vector<Parameters*> trained{&model_.trainable()};
    if (model_.heads() != nullptr) trained.push_back(&model_.heads()->parameters());
    if (!step_) step_.emplace(trained, OptimizerSettings{});
    step_->begin(rate);
    const StepPlan planned = plan(bins, settings_.objective, records_);
    statistics_ = gather_statistics(planned, settings_.objective, needs_, *policy_, statistics_);
    for (const Batch& batch : planned.batches) {
      const Loss loss = compute(settings_.objective, policy_->score(batch, needs_), statistics_, {.step = steps_});
      step_->accumulate(total(loss, planned.counts));
    }
    ++steps_;
    const StepReport report = step_->apply();
    return {report.loss, report.grad_norm};
  }

  // Mean log-probability of the good answers above the bad ones.
  double margin() {
    const at::AutoGradMode no_gradient(false);
    Layout layout;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      const RecordView view = records_[i].view(static_cast<std::int64_t>(i));
      layout.add(view, 0, ResponseRole::chosen);
      layout.add(view, 1, ResponseRole::rejected);
      layout.end_record();
    }
    const Tensor logps = policy_->score(layout.take(), {}).logps.view({-1, 2});
    return (logps.select(1, 0) - logps.select(1, 1)).mean().item<double>();
  }

 private:
  std::vector<TokenRecord> records_ = judged_answers();
  RunSettings settings_ = {};
  Needs needs_ = {};
  LanguageModel model_;
  std::optional<LanguagePolicy> policy_;
  std::optional<Step> step_;
  std::vector<Statistics> statistics_ = {};
  std::int64_t steps_ = 0;
};

const std::vector<std::vector<std::int64_t>> whole{{0, 1, 2, 3, 4, 5}}, split{{4, 1}, {0}, {5, 3, 2}};

class SingleAnswers : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { at::set_num_threads(1); }
};

TEST_P(SingleAnswers, MicroBatchesChangeNothing) {
  const auto one = Trainer(GetParam()).step(whole), other = Trainer(GetParam()).step(split);
  EXPECT_NEAR(one.loss, other.loss, 1e-9 * std::abs(one.loss) + 1e-12);
  EXPECT_NEAR(one.gradient, other.gradient, 1e-8 * one.gradient);
  EXPECT_GT(one.gradient, 0);
}

TEST_P(SingleAnswers, TrainingMovesGoodAnswersAboveBadOnes) {
  Trainer trainer(GetParam());
  const double before = trainer.margin();
  for (int i = 0; i < 6; ++i) trainer.step(split, 3e-3);
  EXPECT_GT(trainer.margin(), before + 0.05);
}

TEST_P(SingleAnswers, AStepOfOneRecordWorks) {
  const auto outcome = Trainer(GetParam()).step({{3}}, 1e-3);
  EXPECT_TRUE(std::isfinite(outcome.loss));
  EXPECT_GT(outcome.gradient, 0);
}

INSTANTIATE_TEST_SUITE_P(Objectives, SingleAnswers,
                         ::testing::Values("kto", "apo-zero-unpaired", "bco", "dro", "d2o", "pmpo", "cringe",
                                           "{pairwise-cringe: {k: 3}}", "dft", "lipo", "{lipo: {loss: mse}}",
                                           "pro-ranking", "plackett-luce", "steerlm2"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
                           return name;
                         });

// SteerLM: the prompt names a value 0 to 4, answers are words 40 and 41, of which 40 has a share of value / 4; a fifth
// of the values in the prompts is read wrong by one.
TEST(Steerlm, AnswersOfALanguageModelFollowTheRequestedAttribute) {
  at::set_num_threads(1);
  Random random(1, "corpus");
  std::vector<TokenRecord> records;
  for (int i = 0; i < 80; ++i) {
    const auto value = static_cast<std::int32_t>(random.below(5));
    const auto wrong = static_cast<std::int32_t>(random.below(10));
    const std::int32_t read = std::clamp(value + (wrong == 0) - (wrong == 1), 0, 4);
    TokenRecord record{.prompt = {1, 2 + read}, .scored_tokens = {6}, .sequence_tokens = {8}};
    TokenCompletion answer{.ids = {}, .scored = std::vector<std::uint8_t>(6, 1)};
    for (int token = 0; token < 6; ++token) answer.ids.push_back(4 * random.uniform() < value ? 40 : 41);
    record.completions = {answer};
    records.push_back(std::move(record));
  }
  RunSettings settings;
  read_config(parse_yaml("objective: steerlm", "test"), settings);
  LanguageModel model = testing::tiny_model(testing::tiny_llama, at::kFloat);
  LanguagePolicy policy(model, records);
  Step step({&model.trainable()}, OptimizerSettings{});
  std::vector<std::int64_t> all(records.size());
  std::iota(all.begin(), all.end(), 0);
  const StepPlan planned = plan({all}, settings.objective, records);
  for (int i = 0; i < 25; ++i) {
    step.begin(1e-2);
    step.accumulate(
        total(compute(settings.objective, policy.score(planned.batches.front(), {}), {{}}, {}), planned.counts));
    step.apply();
  }
  // What each request gives, as drawn word by word.
  const at::AutoGradMode no_gradient(false);
  double xy = 0, xx = 0, yy = 0, sum = 0;
  std::vector<double> shares;
  for (std::int32_t value = 0; value < 5; ++value) {
    double count = 0;
    for (int sample = 0; sample < 12; ++sample) {
      TokenRecord drawn{.prompt = {1, 2 + value}};
      for (int token = 0; token < 6; ++token) {
        const auto next = [&](std::int32_t word) {
          TokenRecord record = drawn;
          record.completions = {{.ids = {word}, .scored = {1}}};
          record.scored_tokens = {1};
          record.sequence_tokens = {std::ssize(record.prompt) + 1};
          const std::vector<TokenRecord> one{record};
          Layout layout;
          layout.add(one[0].view(0), 0, ResponseRole::chosen);
          return std::exp(LanguagePolicy(model, one).score(layout.take(), {}).logps.item<double>());
        };
        drawn.prompt.push_back(random.uniform() < next(40) ? 40 : 41);
        count += drawn.prompt.back() == 40;
      }
    }
    shares.push_back(count / 72);
    sum += shares.back();
  }
  for (int value = 0; value < 5; ++value) {
    const double x = value - 2.0, y = shares[static_cast<std::size_t>(value)] - sum / 5;
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  RecordProperty("correlation", std::to_string(xy / std::sqrt(xx * yy)));
  EXPECT_GT(xy / std::sqrt(xx * yy), 0.9);
  EXPECT_GT(shares[4] - shares[0], 0.5);
}

}  // namespace
}  // namespace attune
