// What the papers claim of losses on pairs that read scores, reasons, degrees or prompts, on exact policies.
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/diag_embed.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "attune/policy/tabular.h"
#include "support/claims.h"
#include "support/linear_policy.h"
#include "support/objective_of.h"

namespace attune {
namespace {

using testing::expect_wins;
using testing::LinearPolicy;
using testing::normal;
using testing::objective_of;
using testing::step_of;

// The law of best and worst of n uniform draws on `bins` quantiles of the reward, as weighted comparisons of one
// record.
Batch best_and_worst_of(const ObjectiveList& list, int n, std::int32_t bins) {
  const auto range = [&](std::int32_t worst, std::int32_t best) {  // all n draws in bins worst .. best
    return best < worst ? 0.0 : std::pow((best - worst + 1.0) / bins, n);
  };
  return testing::batch_of(list, 1, bins, [&](TokenRecord& record, std::int64_t) {
    for (std::int32_t worst = 0; worst < bins; ++worst) {
      for (std::int32_t best = worst; best < bins; ++best) {
        const double mass =
            range(worst, best) - range(worst + 1, best) - range(worst, best - 1) + range(worst + 1, best - 1);
        record.preferences.push_back({.chosen = best, .rejected = worst, .weight = mass});
      }
    }
  });
}

struct BestOfN {
  double win_rate = 0, kl = 0;  // against the uniform reference; a tie is half a win
};

BestOfN imitate(int n, double alpha, double rate, int steps) {
  constexpr std::int32_t bins = 40;
  const ObjectiveList list =
      objective_of("{bonbon: {n: " + std::to_string(n) + ", alpha: " + std::to_string(alpha) + "}}");
  TabularPolicy policy(at::zeros({1, bins}, at::kDouble));
  const Batch batch = best_and_worst_of(list, n, bins);
  for (int step = 0; step < steps; ++step) {
    policy.logits().mutable_grad() = Tensor();
    const Loss loss = compute(list, policy.score(batch, needs_of(list)), std::vector<Statistics>(1), {});
    (loss.terms[0].weight * loss.terms[0].sum + loss.terms[1].weight * loss.terms[1].sum)
        .backward();  // masses sum to 1
    const at::AutoGradMode off(false);
    Tensor(policy.logits()).sub_(rate * policy.logits().grad());
  }
  const Tensor logps = policy.log_probabilities()[0], p = logps.exp();
  const Tensor below = (at::arange(bins, at::kDouble) + 0.5) / bins;
  return {(p * below).sum().item<double>(), (p * (logps + std::log(bins))).sum().item<double>()};
}

// Gui et al. 2024: best-of-n wins n / (n + 1) of the time at a divergence of log n - (n - 1) / n.
TEST(LabelledPairClaims, BonbonsLikelihoodTermAloneReachesTheBestOfNLaw) {
  for (const int n : {2, 4}) {
    const BestOfN reached = imitate(n, 1, 5, 400);
    EXPECT_NEAR(reached.win_rate, n / (n + 1.0), 0.01 * n / (n + 1.0)) << n;
    EXPECT_NEAR(reached.kl, std::log(n) - (n - 1.0) / n, 0.012) << n;
  }
}

// The square alone does not: 0.657 instead of 0.667 and 0.834 instead of 0.8, as the tabular optimum has it.
TEST(LabelledPairClaims, BonbonsSquareAloneReachesItsOwnOptimum) {
  EXPECT_NEAR(imitate(2, 0, 0.2, 400).win_rate, 0.657, 0.004);
  EXPECT_NEAR(imitate(4, 0, 0.2, 400).win_rate, 0.834, 0.004);
}

// The target gap is the mean of (n - 1) (log of the largest - log of the smallest of n uniform draws).
TEST(LabelledPairClaims, BonbonsGapIsTheMeanLogRatioOfBestAndWorst) {
  Random random(3, "bonbon");
  for (const auto& [n, gap] : {std::pair{2, 1.0}, std::pair{4, 5.5}, std::pair{8, 18.15}}) {
    double sum = 0, squares = 0;
    constexpr int draws = 40000;
    for (int draw = 0; draw < draws; ++draw) {
      double smallest = 1, largest = 0;
      for (int i = 0; i < n; ++i) {
        const double u = random.uniform();
        smallest = std::min(smallest, u);
        largest = std::max(largest, u);
      }
      const double value = (n - 1) * (std::log(largest) - std::log(smallest));
      sum += value;
      squares += value * value;
    }
    const double mean = sum / draws, error = std::sqrt((squares / draws - mean * mean) / draws);
    EXPECT_LT(std::abs(mean - gap), 4 * error) << n << " " << mean;
  }
}

// Wu et al. 2024, eq. 4.1: exact updates play a game; their average is an equilibrium. In an unbalanced rock, paper,
// scissors every single action can be exploited, also the best one of a fitted reward.
TEST(LabelledPairClaims, SppoAveragesToANashMixWhereEveryRewardsBestActionIsExploitable) {
  const std::vector<std::vector<double>> wins{{0.5, 0.9, 0.3}, {0.1, 0.5, 0.8}, {0.7, 0.2, 0.5}};
  const ObjectiveList list = objective_of("{sppo: {score: win_probability, beta: 2}}");
  TabularPolicy policy(at::tensor({0.6, 0.0, -0.6}, at::kDouble).view({1, 3}));
  std::vector<double> average(3, 0);
  constexpr int rounds = 300;
  for (int round = 0; round < rounds; ++round) {
    const Tensor logps = policy.log_probabilities();
    policy.freeze("reference", logps);
    std::vector<double> p, win(3, 0);
    for (std::int64_t i = 0; i < 3; ++i) p.push_back(std::exp(logps[0][i].item<double>()));
    for (std::size_t i = 0; i < 3; ++i) {
      average[i] += p[i] / rounds;
      for (std::size_t j = 0; j < 3; ++j) win[i] += wins[i][j] * p[j];
    }
    const Batch batch = testing::batch_of(list, 1, 3, [&](TokenRecord& record, std::int64_t) {
      for (const double score : win) record.labels.push_back({.score = score});
      record.preferences = {{.chosen = 0, .rejected = 1}, {.chosen = 1, .rejected = 2}, {.chosen = 2, .rejected = 0}};
    });
    Counts counts;
    counts.add(batch);
    for (int step = 0; step < 6; ++step) {
      policy.logits().mutable_grad() = Tensor();
      total(compute(list, policy.score(batch, needs_of(list)), std::vector<Statistics>(1), {}), counts).backward();
      const at::AutoGradMode off(false);
      Tensor(policy.logits()).sub_(0.7 * policy.logits().grad());
    }
  }
  const auto gap = [&](const std::vector<double>& mix) {  // what the best reply to it wins beyond a half
    double best = 0;
    for (const auto& row : wins) best = std::max(best, row[0] * mix[0] + row[1] * mix[1] + row[2] * mix[2] - 0.5);
    return best;
  };
  EXPECT_LT(gap(average), 0.02);
  for (const auto& pure : {std::vector<double>{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}) EXPECT_GT(gap(pure), 0.19);
}

// Answers to two instructions, with a probability of the instruction itself: completion x * 2 + y is answer y to x.
class JointPolicy final : public Policy {
 public:
  static constexpr std::int64_t instructions = 2, answers = 2;

  JointPolicy(Tensor instruction_logits, Tensor answer_logits)
      : instruction_(std::move(instruction_logits)), answer_(std::move(answer_logits)) {}

  Responses score(const Batch& batch, const Needs&) override {
    Responses responses = batch.skeleton(answer_);
    std::vector<Tensor> logps;
    std::vector<double> reference;
    for (const auto& planned : batch.responses) {
      const std::int64_t x = planned.completion / answers, y = planned.completion % answers;
      Tensor logp = at::log_softmax(answer_, 1)[x][y];
      if (planned.extent == Extent::whole) logp = logp + at::log_softmax(instruction_, 0)[x];
      logps.push_back(logp);
      reference.push_back(-std::log(answers) - (planned.extent == Extent::whole ? std::log(instructions) : 0));
    }
    responses.logps = at::stack(logps);
    responses.models["reference"].logps = at::tensor(reference, at::kDouble);
    return responses;
  }

 private:
  Tensor instruction_, answer_;
};

struct JointStep {
  double loss = 0;
  Tensor instruction = {}, answer = {};  // gradients
};

// Comparisons of completions of one record.
JointStep joint_step(const std::string& objective, std::vector<RecordView::Preference> preferences,
                     const Tensor& instruction, const Tensor& answer) {
  const ObjectiveList list = objective_of(objective);
  const Tensor a = instruction.clone().set_requires_grad(true), b = answer.clone().set_requires_grad(true);
  JointPolicy policy(a, b);
  const Batch batch = testing::batch_of(
      list, 1, 4, [&](TokenRecord& record, std::int64_t) { record.preferences = std::move(preferences); });
  Counts counts;
  counts.add(batch);
  const Tensor loss = total(compute(list, policy.score(batch, needs_of(list)), std::vector<Statistics>(1), {}), counts);
  loss.backward();
  return {loss.item<double>(), a.grad().defined() ? a.grad() : at::zeros_like(a), b.grad()};
}

TEST(LabelledPairClaims, DoveIsDpoWithinAnInstructionAndCountsTheInstructionBetweenTwo) {
  Random random(4, "dove");
  const Tensor instruction = normal(random, {2}), answer = normal(random, {2, 2});
  const auto dpo = joint_step("dpo", {{.chosen = 0, .rejected = 1}}, instruction, answer);
  for (const char* dove : {"{dove: {joint: true}}", "{dove: {joint: false}}"}) {
    const auto same = joint_step(dove, {{.chosen = 0, .rejected = 1}}, instruction, answer);
    EXPECT_NEAR(same.loss, dpo.loss, 1e-14) << dove;
    EXPECT_TRUE(at::allclose(same.answer, dpo.answer, 1e-12, 1e-14)) << dove;
    EXPECT_TRUE(at::allclose(same.instruction, dpo.instruction, 1e-12, 1e-14)) << dove;
  }
  // Answer 0 to instruction 0 over answer 1 to instruction 1; the reference is uniform, its shares cancel.
  const auto between = joint_step("dove", {{.chosen = 0, .rejected = 3}}, instruction, answer);
  const Tensor p = at::log_softmax(instruction, 0), q = at::log_softmax(answer, 1);
  const double x = 0.1 * (p[0] + q[0][0] - p[1] - q[1][1]).item<double>();
  EXPECT_NEAR(between.loss, std::log1p(std::exp(-x)), 1e-14);
  EXPECT_GT(between.instruction.abs().sum().item<double>(), 0);
}

// Absolute quality from comparisons between instructions only: good answers 0 of both, bad answers 1 of both.
TEST(LabelledPairClaims, DoveLearnsFromComparisonsBetweenInstructionsAlone) {
  Tensor instruction = at::zeros({2}, at::kDouble), answer = at::zeros({2, 2}, at::kDouble);
  for (int step = 0; step < 200; ++step) {
    const auto taken =
        joint_step("dove", {{.chosen = 0, .rejected = 3}, {.chosen = 2, .rejected = 1}}, instruction, answer);
    instruction -= 4 * taken.instruction;
    answer -= 4 * taken.answer;
  }
  const Tensor p = at::softmax(answer, 1);
  EXPECT_GT(p[0][0].item<double>(), 0.9);
  EXPECT_GT(p[1][0].item<double>(), 0.9);
}

// Two forms of one question: the constraint of the second (completions 2 and 3) favours the chosen answer.
TEST(LabelledPairClaims, MaplsGapTermIsTheLogisticLossOfTheDifferenceOfTwoMargins) {
  Random random(5, "mapl");
  const Tensor instruction = normal(random, {2}), answer = normal(random, {2, 2});
  const Tensor q = at::log_softmax(answer, 1);
  const double d = (q[0][0] - q[0][1]).item<double>(), constrained = (q[1][0] - q[1][1]).item<double>();
  const auto logistic = [](double x) { return std::log1p(std::exp(-x)); };
  const std::vector<RecordView::Preference> forms{{.chosen = 0, .rejected = 1},
                                                  {.chosen = 2, .rejected = 3, .weight = 3}};
  const auto step = joint_step("{mapl: {gap_weight: 0.5}}", forms, instruction, answer);
  EXPECT_NEAR(step.loss, (logistic(0.1 * d) + 0.5 * 3 * logistic(0.1 * (constrained - d))) / 2, 1e-14);
  auto narrowing = forms;
  narrowing[1].probability = 0;
  EXPECT_NEAR(joint_step("{mapl: {gap_weight: 0.5}}", narrowing, instruction, answer).loss,
              (logistic(0.1 * d) + 0.5 * 3 * logistic(0.1 * (d - constrained))) / 2, 1e-14);
  EXPECT_NEAR(joint_step("{mapl: {gap_weight: 0}}", forms, instruction, answer).loss, logistic(0.1 * d), 1e-14);
}

// The gradient is the pair's plus gamma times that of the reason's likelihood, a token or a whole.
TEST(LabelledPairClaims, ARationaleAddsTheGradientOfItsLikelihood) {
  const auto records = testing::labelled_records();
  testing::SequencePolicy policy;
  const std::vector<std::int64_t> order{0, 1, 2, 3};
  auto reasons = records;
  for (auto& record : reasons) {  // the reason as a demonstration
    record.preferences.clear();
    record.thumbs.assign(record.scored_tokens.size(), -1);
    record.thumbs[5] = 1;
  }
  const auto dpo = step_of(objective_of("dpo"), records, policy, order);
  const auto nll = step_of(objective_of("sft"), reasons, policy, order);
  const auto mean = step_of(objective_of("{rationale-preference: {gamma: 0.3}}"), records, policy, order);
  EXPECT_TRUE(at::allclose(mean.gradient, dpo.gradient + 0.3 * nll.gradient, 1e-12, 1e-14));
  const auto sum = step_of(objective_of("{rationale-preference: {gamma: 0.3, length: sum}}"), records, policy, order);
  EXPECT_TRUE(at::allclose(sum.gradient, dpo.gradient + 0.9 * nll.gradient, 1e-12, 1e-14));  // three tokens each
  EXPECT_NEAR(mean.metrics.at("rationale_nll"), nll.loss, 1e-12);
}

// The cross-entropy of the head's classes, by hand, on variants of degree 0, 1, 2, 1 a record.
TEST(LabelledPairClaims, DegreesAddTheCrossEntropyOfTheirHead) {
  const auto records = testing::labelled_records(1);
  const ObjectiveList list = objective_of("{spo-preference-degree: {gamma: 2, levels: 3}}");
  Layout layout;
  lay_out(list, records[0].view(0), layout);
  const Batch batch = layout.take();
  testing::SequencePolicy policy;
  const Responses responses = policy.score(batch, needs_of(list));
  const Loss loss = compute(list, responses, std::vector<Statistics>(1), {});
  double expected = 0, hits = 0;
  for (std::size_t i = 0; i < batch.responses.size(); ++i) {
    if (batch.responses[i].role != ResponseRole::variant) continue;
    const Tensor logits = responses.heads.at("degree")[static_cast<std::int64_t>(i)];
    const std::int64_t level = batch.responses[i].labels.level;
    expected -= at::log_softmax(logits, 0)[level].item<double>();
    hits += logits.argmax().item<std::int64_t>() == level ? 1 : 0;
  }
  EXPECT_NEAR(loss.terms.at(1).sum.item<double>(), expected, 1e-12);
  EXPECT_EQ(loss.terms.at(1).weight, 2);
  EXPECT_NEAR(loss.metrics.read().at("degree/accuracy"), hits / 4, 1e-12);
}

// Six prompts, six answers, ten scored pairs: what of a linear reward a policy gets at a given distance from its start.
class FewScoredPairs {
 public:
  static constexpr std::int64_t prompts = 6, answers = 6, width = 5, pairs = 10;

  explicit FewScoredPairs(std::uint64_t seed) : random_(seed, "few-scored-pairs") {
    features_ = normal(random_, {prompts, answers, width});
    reward_ = at::matmul(features_, normal(random_, {width}));
    for (std::int64_t i = 0; i < pairs; ++i) {
      const auto x = static_cast<std::size_t>(random_.below(prompts));
      auto a = static_cast<std::int32_t>(random_.below(answers));
      auto b = static_cast<std::int32_t>((a + 1 + static_cast<std::int32_t>(random_.below(answers - 1))) % answers);
      if (score(x, a) < score(x, b)) std::swap(a, b);
      compared_[x].push_back({.chosen = a, .rejected = b});
    }
  }

  // The expected reward where training crosses a reverse KL of 1, between the steps before and after.
  double reward_at_distance_one(const std::string& objective) const {
    const ObjectiveList list = objective_of(objective);
    LinearPolicy policy(features_, at::zeros({prompts, answers}, at::kDouble), at::zeros({width}, at::kDouble));
    const Batch batch = testing::batch_of(list, prompts, answers, [&](TokenRecord& record, std::int64_t x) {
      record.preferences = compared_[static_cast<std::size_t>(x)];
      for (std::int32_t y = 0; y < answers; ++y)
        record.labels.push_back({.score = score(static_cast<std::size_t>(x), y)});
    });
    double distance = 0, reward = reward_.mean().item<double>();
    for (int step = 0; step < 80; ++step) {
      policy.descend(list, batch, 1);
      const double next = policy.reverse_kl();
      const double gained = (policy.log_probabilities().exp() * reward_).sum(1).mean().item<double>();
      if (next > 1) return reward + (gained - reward) * (1 - distance) / (next - distance);
      distance = next;
      reward = gained;
    }
    return reward;
  }

 private:
  double score(std::size_t x, std::int32_t y) const { return reward_[static_cast<std::int64_t>(x)][y].item<double>(); }

  Random random_;
  Tensor features_, reward_;
  std::array<std::vector<RecordView::Preference>, prompts> compared_ = {};
};

TEST(LabelledPairClaims, OdpoGetsMoreRewardThanDpoAtEqualDivergenceFromFewScoredPairs) {
  const double gain =
      expect_wins("odpo_reward_over_dpo_at_equal_divergence", {.quick = 90, .full = 160}, [](std::uint64_t seed) {
        const FewScoredPairs world(seed);
        return world.reward_at_distance_one("{odpo: {beta: 0.5}}") - world.reward_at_distance_one("{dpo: {beta: 0.5}}");
      });
  EXPECT_GT(gain, 0.03);
}

// Pairs of answers to tell apart by eight features, and for each pair a reason: the feature that decides it most. A
// reason is told from the others by the same parameters that judge answers.
class ExplainedPairs {
 public:
  static constexpr std::int64_t width = 8;

  explicit ExplainedPairs(std::uint64_t seed) : random_(seed, "explained-pairs") { taste_ = normal(random_, {width}); }

  struct Outcome {
    double accuracy = 0, reason_before = 0, reason_after = 0;  // on 400 new pairs; the reasons' NLL
  };
  // Row x is a pair: answers 0 and 1. Row pairs + x holds its reasons.
  Outcome train(const std::string& objective, std::int64_t pairs) {
    const Tensor difference = judged(pairs);
    const Tensor reasons = (difference * taste_).argmax(1);
    Tensor features = at::zeros({2 * pairs, width, width}, at::kDouble),
           bias = at::full({2 * pairs, width}, -1e9, at::kDouble);
    features.narrow(0, 0, pairs).select(1, 0).copy_(difference);
    features.narrow(0, pairs, pairs).copy_(at::diag_embed(difference));
    bias.narrow(0, 0, pairs).narrow(1, 0, 2).zero_();
    bias.narrow(0, pairs, pairs).zero_();
    LinearPolicy policy(features, bias, at::zeros({width}, at::kDouble));
    const ObjectiveList list = objective_of(objective);
    Batch batch = testing::batch_of(list, pairs, 3, [](TokenRecord& record, std::int64_t) {
      record.preferences = {{.chosen = 0, .rejected = 1, .rationale = 2}};
    });
    for (auto& response : batch.responses) {
      if (response.role != ResponseRole::rationale) continue;
      response.completion = static_cast<std::int32_t>(reasons[response.record].item<std::int64_t>());
      response.prompt = pairs + response.record;
    }
    const auto reason_nll = [&] {
      return -policy.log_probabilities().narrow(0, pairs, pairs).gather(1, reasons.unsqueeze(1)).mean().item<double>();
    };
    Outcome outcome{.reason_before = reason_nll()};
    for (int step = 0; step < 60; ++step) policy.descend(list, batch, 1);
    outcome.reason_after = reason_nll();
    outcome.accuracy = (at::matmul(judged(400), policy.theta().detach()) > 0).to(at::kDouble).mean().item<double>();
    return outcome;
  }

 private:
  // Differences between the features of a better and a worse answer, [n, width].
  Tensor judged(std::int64_t n) {
    const Tensor difference = normal(random_, {n, width}, std::sqrt(2));
    return difference * at::sign(at::matmul(difference, taste_)).unsqueeze(1);
  }

  Random random_;
  Tensor taste_;
};

// Eight explained pairs do what twelve bare ones do not.
TEST(LabelledPairClaims, RationalesReachAnAccuracyInFewerPairs) {
  const double gain =
      expect_wins("eight_explained_pairs_over_twelve_bare_ones", {.quick = 30, .full = 60}, [](std::uint64_t seed) {
        const auto explained =
            ExplainedPairs(seed).train("{rationale-preference: {gamma: 0.3, objective: {dpo: {beta: 0.5}}}}", 8);
        EXPECT_LT(explained.reason_after, explained.reason_before) << seed;
        return explained.accuracy - ExplainedPairs(seed).train("{dpo: {beta: 0.5}}", 12).accuracy;
      });
  EXPECT_GT(gain, 0.03);
}

}  // namespace
}  // namespace attune
