// What the papers of losses on pairs claim, on policies small enough to be exact.
#include <ATen/ops/allclose.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "attune/policy/tabular.h"
#include "support/claims.h"
#include "support/linear_policy.h"
#include "support/objective_of.h"
#include "support/pairs.h"

namespace attune {
namespace {

using testing::expect_wins;
using testing::LinearPolicy;
using testing::normal;
using testing::objective_of;

constexpr testing::Worlds worlds{.quick = 12, .full = 40};

// Answer 0 is chosen over answer 1, which is the same but for little: it points the same way and farther. Learning to
// prefer 0 therefore means to leave the direction that both share, the failure that DPOP, DPO-Shift and ASFT are for.
class NearlyEqualAnswers {
 public:
  static constexpr std::int64_t prompts = 4, answers = 6, width = 5;

  explicit NearlyEqualAnswers(std::uint64_t seed) : random_(seed, "nearly-equal") {
    features_ = normal(random_, {prompts, answers, width});
    const Tensor common = normal(random_, {prompts, width});
    features_.select(1, 0).copy_(common + normal(random_, {prompts, width}, 0.5));
    features_.select(1, 1).copy_(1.5 * features_.select(1, 0) + normal(random_, {prompts, width}, 0.15));
    start_ = 0.5 * common.mean(0);
  }

  struct Outcome {
    double chosen = 0, margin = 0;  // mean log-ratio of the chosen answer, and of it over the rejected one
  };
  Outcome train(const std::string& objective, int steps, double rate) const {
    const ObjectiveList list = objective_of(objective);
    LinearPolicy policy(features_, at::zeros({prompts, answers}, at::kDouble), start_);
    const Batch batch = testing::batch_of(list, prompts, answers, [](TokenRecord& record, std::int64_t) {
      record.preferences = {{.chosen = 0, .rejected = 1}};
    });
    for (int step = 0; step < steps; ++step) policy.descend(list, batch, rate);
    const Tensor ratio = policy.log_probabilities() - policy.reference();
    const double chosen = ratio.select(1, 0).mean().item<double>();
    return {chosen, chosen - ratio.select(1, 1).mean().item<double>()};
  }

 private:
  Random random_;
  Tensor features_, start_;
};

TEST(PairClaims, OnNearlyEqualAnswersDpoLosesTheChosenOneAndDpopKeepsIt) {
  expect_wins("dpop_keeps_the_chosen_answer_that_dpo_loses", worlds, [](std::uint64_t seed) {
    const NearlyEqualAnswers world(seed);
    const auto dpo = world.train("{dpo: {beta: 1}}", 100, 0.1),
               dpop = world.train("{dpop-smaug: {beta: 1}}", 100, 0.01);
    EXPECT_LT(dpo.chosen, -0.4) << seed;
    EXPECT_GT(dpo.margin, 0) << seed;
    EXPECT_GT(dpop.chosen, -0.1) << seed;
    return dpop.chosen - dpo.chosen;
  });
}

TEST(PairClaims, AsftRaisesTheChosenAnswerWhereDpoLowersIt) {
  expect_wins("asft_raises_the_chosen_answer_and_dpo_lowers_it", worlds, [&](std::uint64_t seed) {
    const NearlyEqualAnswers world(seed);
    const double dpo = world.train("{dpo: {beta: 1}}", 100, 0.1).chosen, asft = world.train("asft", 50, 0.1).chosen;
    EXPECT_GT(asft, dpo + 0.3) << seed;
    return std::min(asft, -dpo);
  });
}

TEST(PairClaims, DpoShiftTradesMarginForTheChosenAnswersLikelihood) {
  expect_wins("dpo_shift_is_monotone_in_its_factor", worlds, [](std::uint64_t seed) {
    const NearlyEqualAnswers world(seed);
    std::vector<NearlyEqualAnswers::Outcome> sweep;
    for (const char* factor : {"0.5", "0.75", "0.9", "1"}) {
      sweep.push_back(world.train("{dpo-shift: {beta: 1, factor: " + std::string(factor) + "}}", 50, 0.1));
    }
    double least = 1e9;  // of the falls of the chosen answer and the rises of the margin
    for (std::size_t i = 1; i < sweep.size(); ++i) {
      least = std::min({least, sweep[i - 1].chosen - sweep[i].chosen, sweep[i].margin - sweep[i - 1].margin});
    }
    return least;
  });
}

// Four prompts with a pair each, a table trained until the chosen answers lead by 0.6 nats on average: their mean
// log-probability there, between the steps before and after. At that margin every pair is right.
double alphapo_chosen(const std::string& alpha, std::uint64_t seed) {
  const ObjectiveList list = objective_of("{alphapo: {beta: 2.5, gamma: 0.25, alpha: " + alpha + "}}");
  const Batch batch = testing::batch_of(
      list, 4, 5, [](TokenRecord& record, std::int64_t) { record.preferences = {{.chosen = 0, .rejected = 1}}; });
  Counts counts;
  counts.add(batch);
  Random random(seed, "alphapo");
  TabularPolicy policy(normal(random, {4, 5}, 0.2));
  double margin = 0, chosen = 0;
  for (int step = 0; step < 400; ++step) {
    const Tensor logps = policy.log_probabilities();
    const Tensor lead = logps.select(1, 0) - logps.select(1, 1);
    const double next_margin = lead.mean().item<double>(), next = logps.select(1, 0).mean().item<double>();
    if (next_margin > 0.6) {
      EXPECT_TRUE((lead > 0).all().item<bool>()) << alpha << " " << seed;
      return step == 0 ? next : chosen + (next - chosen) * (0.6 - margin) / (next_margin - margin);
    }
    margin = next_margin;
    chosen = next;
    policy.logits().mutable_grad() = Tensor();
    total(compute(list, policy.score(batch, needs_of(list)), std::vector<Statistics>(1), {}), counts).backward();
    const at::AutoGradMode off(false);
    Tensor(policy.logits()).sub_(0.05 * policy.logits().grad());
  }
  ADD_FAILURE() << "no margin of 0.6 at alpha " << alpha << ", seed " << seed;
  return 0;
}

// A larger alpha moves weight from the likelier to the less likely side of a pair. After equally many steps instead of
// at an equal margin the sweep would turn at alpha 0.5, whose rewards saturate first.
TEST(PairClaims, AlphapoMovesTheChosenLikelihoodMonotonicallyInAlphaAtAnEqualMarginAndFullAccuracy) {
  expect_wins("alphapo_sweep_is_monotone", worlds, [](std::uint64_t seed) {
    double before = 0, least = 1e9;
    for (const char* alpha : {"-1", "-0.5", "0", "0.25", "0.5"}) {
      const double chosen = alphapo_chosen(alpha, seed);
      least = std::min(least, before - chosen);
      before = chosen;
    }
    return least;
  });
}

TEST(PairClaims, AsftIsFiniteAtBothEndsAndItsChosenGradientIgnoresTheRejectedAnswer) {
  const ObjectiveList list = objective_of("{asft: {sft_weight: 0}}");
  const auto gradient = [&](double chosen, double rejected) {
    const Tensor logps = at::tensor({chosen, rejected}, at::kDouble).set_requires_grad(true);
    const Batch batch = testing::batch_of(
        list, 1, 2, [](TokenRecord& record, std::int64_t) { record.preferences = {{.chosen = 0, .rejected = 1}}; });
    Responses responses = batch.skeleton(logps);
    responses.logps = 1 * logps;
    const Tensor loss = compute(list, responses, std::vector<Statistics>(1), {}).terms[0].sum;
    EXPECT_NEAR(loss.item<double>(), -chosen - std::log(-std::expm1(rejected)), 1e-9);
    loss.backward();
    return logps.grad();
  };
  for (const double rejected : {-1e-6, -0.3, -5.0, -50.0}) {
    const Tensor at_both = gradient(-2, rejected);
    EXPECT_TRUE(std::isfinite(at_both[1].item<double>())) << rejected;
    EXPECT_EQ(at_both[0].item<double>(), -1);
    EXPECT_EQ(gradient(-1e-6, rejected)[0].item<double>(), -1);
  }
}

// Three actions of which the pairs never show the third; what they teach generalises to it most of all.
class UnseenAction {
 public:
  explicit UnseenAction(std::uint64_t seed) : random_(seed, "unseen-action") {
    const Tensor features = at::tensor({1.0, 0.0, 0.0, 1.0, 2.0, -1.0}, at::kDouble).view({1, 3, 2});
    const Tensor bias = at::tensor({0.495, 0.495, 0.01}, at::kDouble).log().view({1, 3});
    policy_ = std::make_unique<LinearPolicy>(features, bias, at::zeros({2}, at::kDouble));
  }

  // The reverse KL after training on the one pair and fresh samples of the policy at every step.
  double train(const std::string& objective, int steps, double rate) {
    const ObjectiveList list = objective_of(objective);
    for (int step = 0; step < steps; ++step) policy_->descend(list, batch(list, 4), rate);
    return policy_->reverse_kl();
  }

  LinearPolicy& policy() { return *policy_; }

  // One record with the pair and one whose completions are `samples` draws: completion 3 + k there is draw k.
  Batch batch(const ObjectiveList& list, int samples) {
    Batch result = testing::batch_of(list, 1, 3 + samples, [](TokenRecord& record, std::int64_t) {
      record.preferences = {{.chosen = 0, .rejected = 1}};
      record.thumbs.assign(record.scored_tokens.size(), 0);
      record.thumbs[2] = 1;  // the third action is nobody's sample
    });
    const Tensor p = policy_->log_probabilities().exp();
    for (auto& response : result.responses) {
      if (response.role != ResponseRole::self_sample) continue;
      const double draw = random_.uniform();
      response.completion = draw < p[0][0].item<double>() ? 0 : draw < (p[0][0] + p[0][1]).item<double>() ? 1 : 2;
    }
    return result;
  }

 private:
  Random random_;
  std::unique_ptr<LinearPolicy> policy_;
};

TEST(PairClaims, DpoRunsAwayThroughAnUnseenActionAndHypoStaysInAKlBall) {
  expect_wins("hypo_stays_nearer_than_dpo", worlds, [](std::uint64_t seed) {
    const double dpo = UnseenAction(seed).train("{dpo: {beta: 0.5}}", 150, 1);
    const double hypo = UnseenAction(seed).train("{hypo: {lambda: 0.3, objective: {dpo: {beta: 0.5}}}}", 150, 0.3);
    EXPECT_GT(dpo, 2) << seed;
    EXPECT_LT(hypo, 1) << seed;
    return dpo - hypo;
  });
}

// The mean of the sampled gradient against the exact one, as a z-score over draws.
TEST(PairClaims, HyposSampledKlGradientIsUnbiasedWithAndWithoutItsBaseline) {
  for (const char* baseline : {"none", "leave_one_out"}) {
    const ObjectiveList list =
        objective_of("{hypo: {lambda: 1, baseline: " + std::string(baseline) + ", objective: {dpo: {weight: 0}}}}");
    UnseenAction world(1);
    world.train("{dpo: {beta: 0.5}}", 20, 0.5);  // away from the reference, where the gradient is 0
    LinearPolicy& policy = world.policy();
    Tensor theta = policy.theta();
    const Tensor exact = testing::finite_differences(theta, [&](const Tensor& moved) {
      const at::AutoGradMode off(false);
      const Tensor centre = theta.clone();
      theta.copy_(moved);
      const double kl = policy.reverse_kl();
      theta.copy_(centre);
      return kl;
    });
    constexpr int draws = 800;
    Tensor sum = at::zeros({2}, at::kDouble), squares = at::zeros({2}, at::kDouble);
    for (int draw = 0; draw < draws; ++draw) {
      policy.descend(list, world.batch(list, 3), 0);
      sum += theta.grad();
      squares += theta.grad() * theta.grad();
    }
    const Tensor mean = sum / draws, error = ((squares / draws - mean * mean) / draws).sqrt();
    EXPECT_LT(((mean - exact) / error).abs().max().item<double>(), 3.5) << baseline << mean << exact;
  }
}

TEST(PairClaims, XposBonusIsTheSamplesLogLikelihood) {
  UnseenAction world(2);
  const ObjectiveList with = objective_of("{xpo: {alpha: 0.25}}"), without = objective_of("dpo");
  Batch batch = world.batch(with, 1);
  LinearPolicy& policy = world.policy();
  policy.descend(with, batch, 0);
  const Tensor both = policy.theta().grad().clone();
  policy.descend(without, world.batch(without, 1), 0);
  const Tensor plain = policy.theta().grad().clone();
  std::int64_t sample = -1;
  for (const auto& response : batch.responses) {
    if (response.role == ResponseRole::self_sample) sample = response.completion;
  }
  // d log pi(y) = features(y) - E features
  const Tensor p = policy.log_probabilities()[0].exp();
  const Tensor features = at::tensor({1.0, 0.0, 0.0, 1.0, 2.0, -1.0}, at::kDouble).view({3, 2});
  const Tensor score = features[sample] - at::matmul(p, features);
  EXPECT_TRUE(at::allclose(both - plain, 0.25 * score, 1e-12, 1e-14));
}

}  // namespace
}  // namespace attune
