// The same start, pairs, steps and rate for both rewards; then answers in other words. An explicit reward reads what an
// answer means off the state behind it, an implicit one adds up the log-ratios of the very words it was trained on
// (Lin et al. 2024, arXiv:2409.03650; why: Razin et al. 2025, "Why is Your Language Model a Poor Implicit Reward
// Model?", arXiv:2507.07981).
#include <ATen/Parallel.h>
#include <ATen/ops/log_sigmoid.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "attune/base/random.h"
#include "attune/diagnostics/implicit_reward.h"
#include "attune/tensor/adamw.h"
#include "support/claims.h"
#include "support/tiny_models.h"

namespace attune::diagnostics {
namespace {

using Ids = std::vector<std::int32_t>;

constexpr const char* one_block = R"({"model_type": "llama", "vocab_size": 40, "hidden_size": 24,
  "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48,
  "max_position_embeddings": 16, "initializer_range": 0.2, "tie_word_embeddings": false})";

// Prompts of two topics; answers of two fillers and one word that is kind or rude, at any place; what others reply to
// it is the only thing that tells kind words from rude ones.
class KindWords {
 public:
  static constexpr std::int32_t topics = 12, kind = 12, rude = 20, fillers = 28, thanks = 36, anger = 37;
  static constexpr std::int32_t words = 8;  // of a kind; comparisons at home know the first half of them
  static constexpr std::int64_t prompt = 2, answer = 3;

  explicit KindWords(std::uint64_t seed) : random_(seed, "kind-words") {}

  struct Part {
    std::int32_t first = 0, count = 0;
  };

  Ids text(Part topic, Part word, bool is_kind) {
    Ids ids;
    for (std::int64_t i = 0; i < prompt; ++i) ids.push_back(draw(topic));
    for (std::int64_t i = 0; i < answer; ++i) ids.push_back(fillers + draw({0, 8}));
    ids[static_cast<std::size_t>(prompt + draw({0, answer}))] = (is_kind ? kind : rude) + draw(word);
    return ids;
  }

  // What the model is pretrained on: all topics, all words, and the reply.
  std::vector<Ids> corpus(int count) {
    std::vector<Ids> texts;
    for (int i = 0; i < count; ++i) {
      const bool is_kind = random_.below(2) == 0;
      texts.push_back(text({0, topics}, {0, words}, is_kind));
      texts.back().push_back(is_kind ? thanks : anger);
    }
    return texts;
  }

  // Chosen and rejected by turns, each pair to one prompt.
  std::vector<Ids> pairs(int count, Part topic, Part word) {
    std::vector<Ids> texts;
    for (int i = 0; i < count; ++i) {
      texts.push_back(text(topic, word, true));
      texts.push_back(text(topic, word, false));
      std::copy_n(texts[texts.size() - 2].begin(), prompt, texts.back().begin());
    }
    return texts;
  }

 private:
  std::int32_t draw(Part part) {
    return part.first + static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(part.count)));
  }
  Random random_;
};

constexpr std::int64_t length = KindWords::prompt + KindWords::answer;

// [texts] log p of each answer given its prompt.
Tensor answer_logps(const LanguageModel& model, const std::vector<Ids>& texts) {
  const Tensor logps = model.score(forest_of_sequences(texts)).logps.view({-1, length - 1});
  return logps.slice(1, KindWords::prompt - 1).sum(1);
}

// [texts] of the head, at the last token.
Tensor rewards_of(const LanguageModel& model, const std::vector<Ids>& texts) {
  const Tensor states = model.hidden(forest_of_sequences(texts)).view({-1, length, model.config().width});
  return model.heads()->apply(model.heads()->specs().front(), states.select(1, length - 1)).squeeze(1);
}

// Of values of chosen and rejected answers by turns.
Tensor differences(const Tensor& values) {
  const Tensor sides = values.view({-1, 2});
  return sides.select(1, 0) - sides.select(1, 1);
}

double accuracy(const Tensor& values) {
  const Tensor sides = values.detach().to(at::kDouble).contiguous();
  std::vector<Sides> pairs;
  for (std::int64_t i = 0; i + 1 < sides.size(0); i += 2) {
    pairs.push_back({sides[i].item<double>(), sides[i + 1].item<double>()});
  }
  return reward_accuracy(pairs, 0).accuracy;
}

// AdamW on all weights, the heads' too where there are some.
void descend(LanguageModel& model, int steps, double rate, const std::function<Tensor(int step)>& loss) {
  std::vector<Parameters*> trained = {&model.parameters()};
  if (model.heads() != nullptr) trained.push_back(&model.heads()->parameters());
  std::vector<AdamW> optimisers;
  for (Parameters* parameters : trained) {
    parameters->require_gradients(true);
    optimisers.emplace_back(parameters->flat(), AdamWOptions{}, std::vector<std::pair<std::int64_t, std::int64_t>>{});
  }
  for (int step = 0; step < steps; ++step) {
    for (Parameters* parameters : trained) parameters->zero_gradients();
    loss(step).backward();
    for (std::size_t i = 0; i < trained.size(); ++i) {
      optimisers[i].begin(rate);
      optimisers[i].update(0, trained[i]->gradient());
    }
  }
  for (Parameters* parameters : trained) parameters->require_gradients(false);
}

struct Split {
  double explicit_reward = 0, implicit_reward = 0;  // accuracies
  double gap() const { return explicit_reward - implicit_reward; }
};

struct Splits {
  Split home = {}, topics = {}, words = {};  // as in training; other prompts; answers in other words
};

Splits in_world(std::uint64_t seed) {
  constexpr int pretraining = 100, steps = 64, pairs = 256, pairs_of_step = 32;
  constexpr double rate = 3e-3, beta = 0.1;
  KindWords world(seed);
  LanguageModel start = testing::tiny_model(one_block, at::kFloat, seed);
  descend(start, pretraining, 1e-2,
          [&](int) { return -start.score(forest_of_sequences(world.corpus(64))).logps.mean(); });

  const KindWords::Part topics{0, 6}, words{0, 4}, other_topics{6, 6}, other_words{4, 4};
  const auto learned = world.pairs(pairs, topics, words);
  const Tensor before = answer_logps(start, learned).detach();
  const auto first_of = [](int step) { return 2 * pairs_of_step * (step % (pairs / pairs_of_step)); };
  const auto batch = [&](int step) {
    const auto first = learned.begin() + first_of(step);
    return std::vector<Ids>(first, first + 2 * pairs_of_step);
  };
  LanguageModel policy = start.frozen_copy(), reward = start.frozen_copy();
  descend(policy, steps, rate, [&](int step) {
    const Tensor reference = before.slice(0, first_of(step), first_of(step) + 2 * pairs_of_step);
    return -at::log_sigmoid(beta * differences(answer_logps(policy, batch(step)) - reference)).mean();
  });
  reward.attach_heads({{.name = "reward"}}, seed);
  descend(reward, steps, rate,
          [&](int step) { return -at::log_sigmoid(differences(rewards_of(reward, batch(step)))).mean(); });

  const auto split = [&](KindWords::Part topic, KindWords::Part word) {
    const auto texts = world.pairs(200, topic, word);
    return Split{.explicit_reward = accuracy(rewards_of(reward, texts)),
                 .implicit_reward = accuracy(answer_logps(policy, texts) - answer_logps(start, texts))};
  };
  return {.home = split(topics, words), .topics = split(other_topics, words), .words = split(topics, other_words)};
}

// Other prompts alone part them by nothing in this world: it is the words that an implicit reward is tied to.
TEST(ImplicitRewardClaims, RewardsThatAgreeAtHomePartWhereAnswersAreInOtherWordsAndTheExplicitOneStaysRight) {
  at::set_num_threads(1);
  const testing::Worlds worlds{.quick = 10, .full = 32};
  double home = 0, topics = 0, right_at_home = 0;
  const double gap = testing::expect_wins("explicit_beats_implicit_in_other_words", worlds, [&](std::uint64_t seed) {
    const Splits found = in_world(seed);
    home += found.home.gap() / testing::count_of(worlds);
    topics += found.topics.gap() / testing::count_of(worlds);
    right_at_home += found.home.implicit_reward / testing::count_of(worlds);
    return found.words.gap();
  });
  RecordProperty("mean_gap_of_home_topics_words",
                 std::to_string(home) + " " + std::to_string(topics) + " " + std::to_string(gap));
  EXPECT_GT(right_at_home, 0.98);
  EXPECT_LT(home, 0.01);
  EXPECT_LT(topics, 0.01);
  EXPECT_GT(gap, 0.03) << "the mean of the paper's five shifts";
}

}  // namespace
}  // namespace attune::diagnostics
