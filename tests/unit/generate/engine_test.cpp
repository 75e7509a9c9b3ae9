#include "attune/generate/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::random_ids;
using testing::tiny_model;
using Ids = std::vector<std::int32_t>;

// Every id is a letter or another visible character.
TextInterface characters(Ids stop_ids = {}) {
  return {.stop_ids = std::move(stop_ids), .decode = [](std::span<const std::int32_t> ids) {
            std::string text;
            for (const std::int32_t id : ids) text.push_back(static_cast<char>('0' + id));
            return text;
          }};
}

std::vector<GenerateRequest> ragged_requests(const SamplingOptions& sampling, int samples = 1) {
  Random random(21, "requests");
  std::vector<GenerateRequest> requests;
  for (const std::int64_t length : {1, 14, 3, 30, 7, 2, 21, 9}) {
    requests.push_back({.prompt = random_ids(random, length),
                        .samples = samples,
                        .sampling = sampling,
                        .max_tokens = 10 + 7 * static_cast<std::int64_t>(requests.size() % 4),
                        .seed = 4,
                        .id = static_cast<std::int64_t>(requests.size()) + 100});
  }
  return requests;
}

// [V] float32 after prompt and ids, from the full pass.
std::vector<float> logits_after(const LanguageModel& model, Ids prompt, std::span<const std::int32_t> ids) {
  const at::NoGradGuard no_grad;
  prompt.insert(prompt.end(), ids.begin(), ids.end());
  prompt.push_back(0);
  const Tensor last = model.logits(forest_of_sequences(std::vector<Ids>{prompt}))[-1].to(at::kFloat).contiguous();
  return {last.const_data_ptr<float>(), last.const_data_ptr<float>() + last.numel()};
}

// Whether the draw of the token that follows `ids` lies within 1e-5 of another one's.
bool near_boundary(const LanguageModel& model, const GenerateRequest& request, int sample_index, const Ids& ids) {
  std::vector<float> logits = logits_after(model, request.prompt, ids);
  if (request.sampling.temperature == 0) {
    std::sort(logits.begin(), logits.end());
    return logits.back() - logits[logits.size() - 2] < 1e-5f;
  }
  Random random(request.seed, "sample", {request.id, sample_index});
  random.seek(ids.size());
  const double uniform = random.uniform();
  return sample(logits, request.sampling, std::max(0.0, uniform - 1e-5)).id !=
         sample(logits, request.sampling, std::min(uniform + 1e-5, std::nextafter(1.0, 0.0))).id;
}

// 1 when the two differ where a draw explains it, 0 when they are equal.
int differences(const LanguageModel& model, const GenerateRequest& request, int sample_index, const Generated& a,
                const Generated& b) {
  if (a.ids == b.ids) {
    EXPECT_EQ(a.text, b.text);
    EXPECT_EQ(a.stop, b.stop);
    for (std::size_t i = 0; i < a.logps.size(); ++i) EXPECT_NEAR(a.logps[i], b.logps[i], 1e-5);
    return 0;
  }
  const auto until = std::mismatch(a.ids.begin(), a.ids.end(), b.ids.begin(), b.ids.end()).first;
  EXPECT_TRUE(near_boundary(model, request, sample_index, Ids(a.ids.begin(), until)))
      << model.config().family << ", request " << request.id << ", sample " << sample_index << ", token "
      << until - a.ids.begin();
  return 1;
}

TEST(Engine, AnAnswerDoesNotDependOnWhatElseIsInTheBatch) {
  int answers = 0, exceptions = 0;
  const SamplingOptions kinds[] = {
      {.temperature = 0}, {}, {.temperature = 0.7, .top_k = 20, .top_p = 0.9, .min_p = 0.02}};
  for (const char* config : testing::tiny_configs) {
    const LanguageModel model = tiny_model(config, at::kFloat);
    for (const SamplingOptions& sampling : kinds) {
      const auto requests = ragged_requests(sampling, sampling.temperature == 0 ? 1 : 3);
      const auto together = generate(model, characters({7}), requests, {.slots = 8});
      const auto crowded = generate(model, characters({7}), requests, {.slots = 3, .prefill_tokens = 10});
      for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto alone = generate(model, characters({7}), std::span(&requests[i], 1), {.slots = 1});
        for (int s = 0; s < requests[i].samples; ++s, ++answers) {
          const auto k = static_cast<std::size_t>(s);
          exceptions += differences(model, requests[i], s, alone[0][k], together[i][k]);
          exceptions += differences(model, requests[i], s, alone[0][k], crowded[i][k]);
        }
      }
    }
  }
  EXPECT_EQ(answers, 4 * 8 * 7);
  EXPECT_LE(exceptions, answers / 50);
}

TEST(Engine, LogProbabilitiesAreTheModelsOwnWhateverTheSamplingFilters) {
  LanguageModel model = tiny_model(testing::tiny_llama);
  const auto requests = ragged_requests({.temperature = 0.6, .top_k = 5}, 2);
  const auto answers = generate(model, characters(), requests);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    for (const Generated& answer : answers[i]) {
      Ids sequence = requests[i].prompt;
      sequence.insert(sequence.end(), answer.ids.begin(), answer.ids.end());
      const Tensor logps = model.score(forest_of_sequences(std::vector<Ids>{sequence})).logps.detach();
      const std::int64_t before = static_cast<std::int64_t>(requests[i].prompt.size()) - 1;
      ASSERT_EQ(answer.logps.size(), answer.ids.size());
      for (std::size_t t = 0; t < answer.logps.size(); ++t) {
        EXPECT_NEAR(answer.logps[t], logps[before + static_cast<std::int64_t>(t)].item<double>(), 1e-6);
      }
    }
  }
}

TEST(Engine, SamplesFollowTheDistributionAndDifferFromEachOther) {
  const LanguageModel model = tiny_model(testing::tiny_qwen2);
  constexpr int samples = 4000;
  const std::vector<GenerateRequest> requests{{.prompt = {4, 8, 15}, .samples = samples, .max_tokens = 1}};
  std::vector<double> shares(61);
  const auto answers = generate(model, characters(), requests, {.slots = 64});
  for (const Generated& answer : answers[0]) {
    ASSERT_EQ(answer.ids.size(), 1u);
    shares[static_cast<std::size_t>(answer.ids[0])] += 1.0 / samples;
  }
  const std::vector<float> logits = logits_after(model, requests[0].prompt, {});
  double largest = 0;
  for (std::size_t id = 0; id < shares.size(); ++id) {
    const double p = std::exp(sample(logits, {.temperature = 0}, 0).logp + logits[id] -
                              *std::max_element(logits.begin(), logits.end()));
    EXPECT_NEAR(shares[id], p, 4 * std::sqrt(p * (1 - p) / samples) + 1e-9) << "token " << id;
    largest = std::max(largest, p);
  }
  EXPECT_LT(largest, 0.9) << "too easy a test";
}

TEST(Engine, ATokenThatEndsTheTextStaysInTheIdsAndLeavesTheText) {
  const LanguageModel model = tiny_model(testing::tiny_llama);
  GenerateRequest request{.prompt = {3, 1, 4}, .sampling = {.temperature = 0}, .max_tokens = 20};
  const Generated whole = generate(model, characters(), std::span(&request, 1))[0][0];
  EXPECT_EQ(whole.stop, StopReason::length);
  ASSERT_EQ(whole.ids.size(), 20u);
  const std::int32_t ending = whole.ids[2];
  const auto end = std::find(whole.ids.begin(), whole.ids.end(), ending) - whole.ids.begin() + 1;
  const Generated ended = generate(model, characters({60, ending}), std::span(&request, 1))[0][0];
  EXPECT_EQ(ended.stop, StopReason::eos);
  EXPECT_EQ(ended.ids, Ids(whole.ids.begin(), whole.ids.begin() + end));
  EXPECT_EQ(ended.logps.size(), ended.ids.size());
  EXPECT_EQ(ended.text, whole.text.substr(0, static_cast<std::size_t>(end - 1)));
}

TEST(Engine, AStopStringIsCutOffAndItsTokensStay) {
  const LanguageModel model = tiny_model(testing::tiny_llama);
  GenerateRequest request{.prompt = {3, 1, 4}, .sampling = {.temperature = 1}, .max_tokens = 20, .seed = 3};
  const Generated whole = generate(model, characters(), std::span(&request, 1))[0][0];
  const std::string stop = whole.text.substr(5, 3);
  const std::size_t begin = whole.text.find(stop);
  request.stop = {"never there", stop};
  const Generated stopped = generate(model, characters(), std::span(&request, 1))[0][0];
  EXPECT_EQ(stopped.stop, StopReason::stop_string);
  EXPECT_EQ(stopped.text, whole.text.substr(0, begin));
  EXPECT_EQ(stopped.ids, Ids(whole.ids.begin(), whole.ids.begin() + static_cast<std::ptrdiff_t>(begin) + 3));
}

TEST(Engine, AnAnswerEndsWithTheModelsPositions) {
  for (const char* config : {testing::tiny_gpt2, testing::tiny_llama}) {
    const LanguageModel model = tiny_model(config);
    const auto positions = static_cast<std::size_t>(model.config().max_positions);
    for (const std::size_t room : {1u, 6u}) {
      const GenerateRequest request{.prompt = Ids(positions - room, 5)};
      const Generated answer = generate(model, characters(), std::span(&request, 1))[0][0];
      EXPECT_EQ(answer.ids.size(), room);
      EXPECT_EQ(answer.stop, StopReason::length);
    }
  }
}

TEST(Engine, PromptsThatCannotBeAnsweredAreRefusedBeforeAnyWork) {
  const LanguageModel model = tiny_model(testing::tiny_gpt2);
  std::vector<GenerateRequest> requests{{.prompt = {1, 2}}, {.prompt = {}, .id = 17}};
  int tokens = 0;
  const GenerateEvents events{.token = [&](std::size_t, int, std::span<const std::int32_t>) { ++tokens; },
                              .answered = {}};
  try {
    generate(model, characters(), requests, {}, events);
    FAIL() << "an empty prompt was accepted";
  } catch (const DataError& error) {
    EXPECT_EQ(error.problem().where.record, "17");
  }
  requests[1].prompt = Ids(96, 1);
  EXPECT_THROW(generate(model, characters(), requests, {}, events), DataError);
  EXPECT_EQ(tokens, 0);
  requests[1] = {.prompt = {1}, .stop = {""}};
  EXPECT_THROW(generate(model, characters(), requests, {}, events), InternalError);
}

TEST(Engine, LogitsThatAreNotFiniteAreRefused) {
  LanguageModel model = tiny_model(testing::tiny_llama);
  model.parameters().part("model.norm.weight").fill_(std::nan(""));
  const GenerateRequest request{.prompt = {1, 2}};
  EXPECT_THROW(generate(model, characters(), std::span(&request, 1)), FormatError);
}

TEST(Engine, EventsTellEachTokenAsItComesAndAnswersInOrder) {
  const LanguageModel model = tiny_model(testing::tiny_llama, at::kFloat);
  const auto requests = ragged_requests({}, 2);
  std::vector<std::vector<Ids>> streamed(requests.size(), std::vector<Ids>(2));
  std::vector<std::size_t> order;
  std::vector<std::vector<Generated>> given;
  const GenerateEvents events{.token =
                                  [&](std::size_t request, int sample, std::span<const std::int32_t> ids) {
                                    Ids& seen = streamed[request][static_cast<std::size_t>(sample)];
                                    EXPECT_EQ(ids.size(), seen.size() + 1);
                                    seen.assign(ids.begin(), ids.end());
                                  },
                              .answered =
                                  [&](std::size_t request, const std::vector<Generated>& samples) {
                                    order.push_back(request);
                                    given.push_back(samples);
                                  }};
  const auto answers = generate(model, characters({7}), requests, {.slots = 5}, events);
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    for (std::size_t s = 0; s < 2; ++s) {
      EXPECT_EQ(streamed[i][s], answers[i][s].ids);
      EXPECT_EQ(given[i][s].ids, answers[i][s].ids);
      EXPECT_EQ(given[i][s].text, answers[i][s].text);
    }
  }
}

TEST(Engine, NothingToDoIsDoneAtOnce) {
  const LanguageModel model = tiny_model(testing::tiny_llama);
  EXPECT_TRUE(generate(model, characters(), {}).empty());
}

}  // namespace
}  // namespace attune
