// Objectives on ranked lists: weights against brute force, the cases in which one is another, and what the lists teach.
#include <ATen/ops/allclose.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/exp2.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/objectives/listwise.h"
#include "support/answers.h"
#include "support/claims.h"
#include "support/exact.h"
#include "support/pairs.h"

namespace attune {
namespace {

using testing::answers_to;
using testing::AnswerTable;
using testing::descend;
using testing::objectives_of;
using testing::PairTable;

// Pairs, and the same as lists of two with scores.
struct Twice {
  PairTable pairs = {.chosen = {-12, -30.5, -7.25},
                     .rejected = {-15.25, -28, -9},
                     .chosen_reference = {-13.5, -29, -7},
                     .rejected_reference = {-14, -30, -8.5},
                     .chosen_tokens = {6, 14, 3},
                     .rejected_tokens = {8, 11, 5}};
  AnswerTable lists() const {
    std::vector<testing::AnswerRecord> records;
    for (std::size_t i = 0; i < 3; ++i) {
      records.push_back({.answers = {{.logp = {pairs.chosen[i]},
                                      .reference = {pairs.chosen_reference[i]},
                                      .tokens = pairs.chosen_tokens[i],
                                      .score = 3.0},
                                     {.logp = {pairs.rejected[i]},
                                      .reference = {pairs.rejected_reference[i]},
                                      .tokens = pairs.rejected_tokens[i],
                                      .score = 2.0}}});
    }
    return AnswerTable(std::move(records));
  }
  // Whether the objective on lists is `factor` times the one on pairs, gradient included.
  void expect(const char* list, const char* pair, double factor = 1) const {
    const auto one = lists().step(objectives_of(list));
    const auto other = pairs.step(objectives_of(pair));
    EXPECT_NEAR(one.loss, factor * other.loss, 1e-12) << list;
    EXPECT_TRUE(at::allclose(one.gradient.view({3, 2}).t(), factor * other.gradient, 1e-12, 1e-14)) << list;
  }
};

TEST(Lipo, WithListsOfTwoIsDpo) {
  const Twice twice;
  twice.expect("{lipo: {loss: logistic, beta: 0.3}}", "{dpo: {beta: 0.3}}");
  twice.expect("{lipo: {loss: listmle, beta: 0.3}}", "{dpo: {beta: 0.3}}");
  twice.expect("{lipo: {loss: softmax, beta: 0.3}}", "{dpo: {beta: 0.3}}");
  // One pair, one weight: |2^1 - 2^0| (1 / log 2 - 1 / log 3).
  twice.expect("{lipo: {loss: lambda, beta: 0.3}}", "{dpo: {beta: 0.3}}", 1 / std::log(2.0) - 1 / std::log(3.0));
}

TEST(PlackettLuce, WithListsOfTwoIsDpo) {
  const Twice twice;
  twice.expect("{plackett-luce: {beta: 0.3}}", "{dpo: {beta: 0.3}}");
  twice.expect("{plackett-luce: {beta: 0.3, ties: breslow}}", "{dpo: {beta: 0.3}}");
}

TEST(ProRanking, WithListsOfTwoAndNoTemperaturesIsLogisticOnMeanLogProbabilities) {
  const Twice twice;
  const auto step = twice.lists().step(objectives_of("{pro-ranking: {reward_temperature: false, sft_weight: 0}}"));
  double expected = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double chosen = twice.pairs.chosen[i] / static_cast<double>(twice.pairs.chosen_tokens[i]);
    const double rejected = twice.pairs.rejected[i] / static_cast<double>(twice.pairs.rejected_tokens[i]);
    expected += std::log1p(std::exp(rejected - chosen)) / 3;
  }
  EXPECT_NEAR(step.loss, expected, 1e-12);
}

// -log of the sum, over all orders that agree with the scores, of Plackett-Luce's probability.
double exact_ties(const std::vector<double>& weights, const std::vector<double>& scores) {
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0);
  double sum = 0;
  do {
    double product = 1, left = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t k = 0; k < order.size(); ++k) {
      if (k > 0 && scores[order[k]] > scores[order[k - 1]]) product = 0;
      product *= weights[order[k]] / left;
      left -= weights[order[k]];
    }
    sum += product;
  } while (std::next_permutation(order.begin(), order.end()));
  return -std::log(sum);
}

TEST(PlackettLuce, EfronComesCloserToTheSumOverAllOrdersOfATieThanBreslow) {
  const std::vector<double> logits{0.4, -0.3, 0.1, -0.8}, scores{2, 2, 1, 0};
  std::vector<double> weights;
  testing::AnswerRecord record;
  for (std::size_t i = 0; i < 4; ++i) {
    weights.push_back(std::exp(logits[i]));
    record.answers.push_back({.logp = {logits[i]}, .score = scores[i]});
  }
  const AnswerTable table({record});
  const auto loss = [&](const char* ties) {
    return table.step(objectives_of(std::string("{plackett-luce: {beta: 1, reference: false, ties: ") + ties + "}}"))
        .loss;
  };
  // Both count one of the two orders of the tie.
  const double exact = exact_ties(weights, scores) + std::log(2.0);
  EXPECT_LT(std::abs(loss("efron") - exact), 0.03);
  EXPECT_GT(std::abs(loss("breslow") - exact), 0.2);
}

TEST(Lists, AreTheSameInEveryOrderOfTheirAnswers) {
  const std::vector<double> logits{0.4, -0.3, 0.1, -0.8}, scores{2, 2, 1, 0};
  std::vector<std::size_t> order{0, 1, 2, 3};
  for (const char* yaml :
       {"lipo", "{lipo: {loss: listmle}}", "plackett-luce", "{plackett-luce: {ties: breslow}}", "pro-ranking"}) {
    double first = 0;
    do {
      testing::AnswerRecord record;
      for (const std::size_t i : order) record.answers.push_back({.logp = {logits[i]}, .score = scores[i]});
      const double loss = AnswerTable({record}).step(objectives_of(yaml)).loss;
      if (std::is_sorted(order.begin(), order.end())) first = loss;
      EXPECT_NEAR(loss, first, 1e-12) << yaml;
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(Lists, OfDifferentLengthsDoNotTouchEachOther) {
  const testing::AnswerRecord two{.answers = {{.logp = {-3}, .score = 1.0}, {.logp = {-4}, .score = 0.0}}};
  const testing::AnswerRecord four{.answers = {{.logp = {-3}, .score = 1.0},
                                               {.logp = {-9}, .score = 4.0},
                                               {.logp = {-5}, .score = 3.0},
                                               {.logp = {-4}, .score = 0.5}}};
  for (const char* yaml :
       {"lipo", "{lipo: {loss: logistic}}", "{lipo: {loss: hinge}}", "{lipo: {loss: listmle}}",
        "{lipo: {loss: softmax}}", "{lipo: {loss: mse}}", "{lipo: {loss: sigmoid}}", "plackett-luce", "pro-ranking"}) {
    const auto objective = objectives_of(yaml);
    const auto apart = AnswerTable({two}).step(objective).loss + AnswerTable({four}).step(objective).loss;
    EXPECT_NEAR(AnswerTable({two, four}).step(objective).loss, apart / 2, 1e-12) << yaml;
  }
}

TEST(Lists, SayNothingWhereAllScoresAreEqualOrMissing) {
  const testing::AnswerRecord equal{.answers = {{.logp = {-3}, .score = 1.0}, {.logp = {-4}, .score = 1.0}}};
  const testing::AnswerRecord alone{.answers = {{.logp = {-3}, .score = 1.0}, {.logp = {-4}}}};
  const testing::AnswerRecord negative{.answers = {{.logp = {-3}, .score = 1.0}, {.logp = {-4}, .score = -1.0}}};
  const AnswerTable table({equal, alone, negative});
  for (const char* yaml : {"lipo", "plackett-luce", "pro-ranking"}) {
    EXPECT_TRUE(table.batch(objectives_of(yaml), 0, 2).responses.empty()) << yaml;
    EXPECT_EQ(table.batch(objectives_of(yaml), 0, 3).responses.size(), 2u) << yaml;
  }
  EXPECT_TRUE(table.batch(objectives_of("{lipo: {loss: softmax, labels: given}}"), 0, 3).responses.empty());
}

TEST(Lists, OfTwoObjectivesAreTheSameGroups) {
  const Twice twice;
  const AnswerTable table = twice.lists();
  const double sum = table.step(objectives_of("[lipo, pro-ranking]")).loss;
  EXPECT_NEAR(sum, table.step(objectives_of("lipo")).loss + table.step(objectives_of("pro-ranking")).loss, 1e-12);
}

TEST(Lipo, LambdaWeightsAreWhatATradeOfPlacesChangesUnderEveryOrderOfScores) {
  const std::vector<double> labels{1, 0.25, 0.6, 0};
  std::vector<double> scores{0.5, -1, 2, 0.1};
  std::sort(scores.begin(), scores.end());
  do {
    const Tensor row = at::tensor(scores, at::kDouble).view({1, 4}).set_requires_grad(true);
    const objectives::Lists lists{.valid = at::ones({1, 4}, at::kBool),
                                  .labels = at::tensor(labels, at::kDouble).view({1, 4})};
    const Tensor weights = objectives::lambda_weights(lists, lists.labels, row);
    EXPECT_FALSE(weights.requires_grad());
    const auto gain = [&](const std::vector<std::size_t>& places) {
      double sum = 0;
      for (std::size_t i = 0; i < 4; ++i)
        sum += (std::exp2(labels[i]) - 1) / std::log(1 + static_cast<double>(places[i]));
      return sum;
    };
    std::vector<std::size_t> place(4);
    for (std::size_t i = 0; i < 4; ++i) {
      place[i] = 1 + static_cast<std::size_t>(
                         std::count_if(scores.begin(), scores.end(), [&](double s) { return s > scores[i]; }));
    }
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < 4; ++j) {
        auto traded = place;
        std::swap(traded[i], traded[j]);
        const double expected = std::abs(gain(place) - gain(traded));
        EXPECT_NEAR(weights[0][static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)].item<double>(), expected,
                    1e-12);
      }
    }
  } while (std::next_permutation(scores.begin(), scores.end()));
}

// ---- Learning to rank: answers have 5 features, quality is a hidden direction of them, scores are quality with noise.

struct Ranking {
  static constexpr std::int64_t train = 12, test = 30, answers = 6, features = 5;
  Tensor x, quality;  // [train + test, answers, features], [train + test, answers]
  std::vector<TokenRecord> lists, pairs;

  explicit Ranking(std::uint64_t seed) {
    Random random(seed, "ranking");
    const auto normals = [&](std::vector<std::int64_t> shape, double scale) {
      std::vector<double> values;
      const std::int64_t count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
      for (std::int64_t i = 0; i < count; ++i) values.push_back(scale * random.normal());
      return at::tensor(values, at::kDouble).view(shape);
    };
    x = normals({train + test, answers, features}, 1);
    quality = at::matmul(x, normals({features}, 1));
    const Tensor scores = quality + normals({train + test, answers}, 0.7);
    for (std::int64_t i = 0; i < train; ++i) {
      TokenRecord list = answers_to(i, answers), pair = answers_to(i, answers);
      list.labels.resize(answers);
      for (std::int64_t y = 0; y < answers; ++y)
        list.labels[static_cast<std::size_t>(y)].score = scores[i][y].item<double>();
      const auto a = static_cast<std::int32_t>(random.below(answers));
      const auto b =
          static_cast<std::int32_t>((a + 1 + static_cast<std::int32_t>(random.below(answers - 1))) % answers);
      const bool first = scores[i][a].item<double>() > scores[i][b].item<double>();
      pair.preferences = {{.chosen = first ? a : b, .rejected = first ? b : a}};
      lists.push_back(std::move(list));
      pairs.push_back(std::move(pair));
    }
  }

  TabularPolicy trained(const char* objective, const std::vector<TokenRecord>& records) const {
    TabularPolicy policy(at::zeros({train + test, answers}, at::kDouble));
    descend(policy, objectives_of(objective), records, {.steps = 60, .rate = 40, .features = x});
    return policy;
  }

  // Mean NDCG of the test lists, ranked by the implicit reward; gains are unit labels of the true quality.
  double ndcg(const TabularPolicy& policy) const {
    const Tensor reward = policy.log_probabilities() - policy.log_probabilities("reference");
    double sum = 0;
    for (std::int64_t i = train; i < train + test; ++i) {
      const Tensor q = quality[i];
      const Tensor gain = at::exp2((q - q.min()) / (q.max() - q.min())) - 1;
      const auto dcg = [&](const Tensor& by) {
        const Tensor sorted = gain.index_select(0, by.argsort(0, true));
        double value = 0;
        for (std::int64_t k = 0; k < answers; ++k)
          value += sorted[k].item<double>() / std::log(2.0 + static_cast<double>(k));
        return value;
      };
      sum += dcg(reward[i]) / dcg(q);
    }
    return sum / test;
  }
};

TEST(ListClaims, LipoRanksBetterThanDpoOnRandomPairsOfTheSameLists) {
  const double gain = testing::expect_wins("lipo_ndcg_over_dpo", {.quick = 20, .full = 60}, [](std::uint64_t seed) {
    const Ranking task(seed);
    return task.ndcg(task.trained("{lipo: {beta: 0.1}}", task.lists)) -
           task.ndcg(task.trained("{dpo: {beta: 0.1}}", task.pairs));
  });
  EXPECT_GT(gain, 0.01);
}

double kendall_tau(const Tensor& a, const Tensor& b) {
  double sum = 0, pairs = 0;
  for (std::int64_t i = 0; i < a.size(0); ++i) {
    for (std::int64_t j = 0; j < i; ++j, ++pairs) {
      sum += (a[i] - a[j]).item<double>() * (b[i] - b[j]).item<double>() > 0 ? 1 : -1;
    }
  }
  return sum / pairs;
}

TEST(ProRanking, MakesTheOrderOfLikelihoodsThatOfTheScores) {
  double before = 0, after = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Ranking task(seed);
    TabularPolicy policy(at::zeros({Ranking::train + Ranking::test, Ranking::answers}, at::kDouble));
    Random random(seed, "start");
    const auto mean_tau = [&] {
      double sum = 0;
      for (std::int64_t i = Ranking::train; i < Ranking::train + Ranking::test; ++i) {
        sum += kendall_tau(policy.log_probabilities()[i], task.quality[i]) / Ranking::test;
      }
      return sum;
    };
    std::vector<double> start;
    for (std::int64_t i = 0; i < Ranking::features; ++i) start.push_back(random.normal());
    {
      const at::AutoGradMode off(false);
      Tensor(policy.logits()).add_(at::matmul(task.x, at::tensor(start, at::kDouble)));
    }
    before += mean_tau() / 5;
    descend(policy, objectives_of("pro-ranking"), task.lists, {.steps = 60, .rate = 0.5, .features = task.x});
    after += mean_tau() / 5;
  }
  RecordProperty("tau_before", std::to_string(before));
  RecordProperty("tau_after", std::to_string(after));
  EXPECT_LT(before, 0.4);
  EXPECT_GT(after, 0.6);
}

// ---- SteerLM

TEST(Steerlm2, GradientIsThatOfTheDivergenceFromTheTarget) {
  const std::vector<double> logps{-2, -3, -1.5}, behaviour{-2.5, -2, -1}, target{0.5, 0.2, 0.3};
  testing::AnswerRecord record;
  for (std::size_t i = 0; i < 3; ++i) {
    record.answers.push_back({.logp = {logps[i]}, .score = target[i], .behaviour = behaviour[i]});
  }
  const auto step = AnswerTable({record}).step(objectives_of("steerlm2"));
  const Tensor leaf = at::tensor(logps, at::kDouble).set_requires_grad(true);
  const Tensor w = at::tensor(target, at::kDouble);
  (w * (w.log() - at::log_softmax(leaf - at::tensor(behaviour, at::kDouble), 0))).sum().backward();
  EXPECT_TRUE(at::allclose(step.gradient, leaf.grad(), 1e-12, 1e-14));
}

TEST(Steerlm2, MovesThePolicyOnItsSamplesToTheTarget) {
  const Tensor start = at::tensor({0.3, -0.5, 1.0, 0.2}, at::kDouble).view({1, 4});
  TabularPolicy policy(start);
  TokenRecord record = answers_to(0, 4);
  const std::vector<double> target{0.4, 0.3, 0.2, 0.1};
  record.labels.resize(4);
  for (std::size_t i = 0; i < 4; ++i) {
    record.labels[i] = {.score = target[i],
                        .behaviour_logp = policy.log_probabilities()[0][static_cast<std::int64_t>(i)].item<double>()};
  }
  descend(policy, objectives_of("steerlm2"), {record}, {.steps = 400, .rate = 2});
  const Tensor ratio = (policy.log_probabilities() - policy.log_probabilities("reference")).view({4});
  EXPECT_TRUE(at::allclose(at::softmax(ratio, 0), at::tensor(target, at::kDouble), 1e-4, 1e-6));
}

// Ten answers of true quality 0, 0, 1, 1, ..., 4, 4; annotators read it right in 6 of 10 cases, else one off. Prompts
// are the requested qualities. All answers are learned, each under the quality it was read as.
class Attributes {
 public:
  static constexpr int levels = 5, answers = 10;
  static int quality(std::int32_t answer) { return answer / 2; }

  explicit Attributes(std::uint64_t seed)
      : random_(seed, "corpus"), policy_(at::zeros({levels, answers}, at::kDouble)) {
    for (int i = 0; i < 300; ++i) {
      const auto answer = static_cast<std::int32_t>(random_.below(answers));
      const auto throws = static_cast<int>(random_.below(10));
      learn(std::clamp(quality(answer) + (throws < 2) - (throws >= 8), 0, levels - 1), answer);
    }
    train();
  }

  std::vector<double> shares(int requested) const {
    const Tensor row = policy_.log_probabilities()[requested].exp().contiguous();
    return {row.const_data_ptr<double>(), row.const_data_ptr<double>() + answers};
  }
  double mean_quality(int requested) const {
    double sum = 0;
    for (std::int32_t answer = 0; answer < answers; ++answer) {
      sum += shares(requested)[static_cast<std::size_t>(answer)] * quality(answer);
    }
    return sum;
  }
  double best_share() const { return shares(levels - 1)[8] + shares(levels - 1)[9]; }

  // Samples under the best request, measured anew, are learned under what they measure, not under what was asked for.
  void bootstrap() {
    const auto best = shares(levels - 1);
    for (int i = 0; i < 300; ++i) {
      const std::int32_t answer = testing::draw(random_, best);
      learn(quality(answer), answer);
    }
    train();
  }

 private:
  void learn(int request, std::int32_t answer) {
    records_.push_back(answers_to(std::ssize(drawn_), 1));
    drawn_.push_back({.prompt = request, .answers = {answer}});
  }
  void train() {
    testing::DrawnAnswers corpus(policy_, drawn_);
    descend(policy_, objectives_of("steerlm"), records_, {.steps = 60, .rate = 20, .scorer = &corpus});
  }
  Random random_;
  TabularPolicy policy_;
  std::vector<TokenRecord> records_;
  std::vector<testing::Drawn> drawn_;
};

TEST(Steerlm, QualityFollowsTheRequestAndBootstrappingRaisesTheShareOfTheBest) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Attributes world(seed);
    double xy = 0, xx = 0, yy = 0, mean = 0;
    for (int v = 0; v < Attributes::levels; ++v) mean += world.mean_quality(v) / Attributes::levels;
    for (int v = 0; v < Attributes::levels; ++v) {
      const double x = v - 2.0, y = world.mean_quality(v) - mean;
      xy += x * y;
      xx += x * x;
      yy += y * y;
    }
    EXPECT_GT(xy / std::sqrt(xx * yy), 0.9);
    const double before = world.best_share();
    world.bootstrap();
    EXPECT_GT(world.best_share(), before + 0.05);
  }
}

}  // namespace
}  // namespace attune
