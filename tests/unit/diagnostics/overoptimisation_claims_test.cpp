// The alarm before the drop: runs of DPO with a tiny beta whose true reward rises and then falls, because the policy
// ends up in answers that its start would hardly ever write and that are worse than they look.
#include <ATen/Parallel.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "attune/diagnostics/overoptimisation.h"
#include "support/claims.h"
#include "support/exact.h"
#include "support/linear_policy.h"

namespace attune::diagnostics {
namespace {

using testing::LinearPolicy;
using testing::normal;

// Answers are features and how likely the start is to write them. What people see is a direction of the features; the
// true reward takes `penalty` times their length off the answers that the start makes rarer than one in `answers`,
// which no pair shows.
class RareAnswersAreWorse {
 public:
  static constexpr std::int64_t prompts = 6, answers = 200, width = 8, pairs_of_prompt = 8;
  static constexpr double penalty = 0.7;
  static constexpr int looks = 40, steps_of_look = 5;

  explicit RareAnswersAreWorse(std::uint64_t seed) : random_(seed, "rare-answers") {
    bias_ = normal(random_, {prompts, answers}, 3);
    features_ = normal(random_, {prompts, answers, width});
    const Tensor taste = normal(random_, {width});
    const Tensor start = at::log_softmax(bias_, 1);
    const Tensor rare = (start < -std::log(answers)).to(at::kDouble);
    reward_ = at::matmul(features_, taste / taste.norm()) - penalty * rare * features_.square().sum(2).sqrt();
    for (std::int64_t x = 0; x < prompts; ++x) {
      const Tensor shares = start[x].exp();
      const std::vector<double> p(shares.data_ptr<double>(), shares.data_ptr<double>() + answers);
      for (std::int64_t i = 0; i < pairs_of_prompt; ++i) {
        const std::int32_t a = testing::draw(random_, p), b = testing::draw(random_, p);
        const auto liked = [&](std::int32_t y) { return reward_[x][y].item<double>() + 0.5 * random_.normal(); };
        if (a == b) continue;
        const bool a_wins = liked(a) > liked(b);
        pairs_[static_cast<std::size_t>(x)].push_back({.chosen = a_wins ? a : b, .rejected = a_wins ? b : a});
      }
    }
  }

  struct Run {
    std::vector<LikelihoodPoint> curve = {};
    std::vector<double> reward = {};  // true, at each look
    // The look at which a fifth of what was gained is lost again; -1: never.
    std::int64_t drop() const {
      double best = reward.front();
      for (std::size_t i = 0; i < reward.size(); ++i) {
        best = std::max(best, reward[i]);
        const double gained = best - reward.front();
        if (gained > 0.1 && reward[i] < best - 0.2 * gained) return static_cast<std::int64_t>(i);
      }
      return -1;
    }
    // The look at which the first warning is seen; -1: none.
    std::int64_t alarm() const {
      const auto warnings = over_optimisation_warnings(curve);
      return warnings.empty() ? -1 : warnings.front().seen;
    }
  };

  // Steps as long in the log-ratios whatever beta is.
  Run train(double beta) const {
    const ObjectiveList list = testing::objectives_of("{dpo: {beta: " + std::to_string(beta) + "}}");
    const Batch batch = testing::batch_of(list, prompts, answers, [&](TokenRecord& record, std::int64_t x) {
      record.preferences = pairs_[static_cast<std::size_t>(x)];
    });
    LinearPolicy policy(features_, bias_, at::zeros({width}, at::kDouble));
    Run run;
    for (int look = 0; look <= looks; ++look) {
      run.curve.push_back(look_at(policy.log_probabilities(), look));
      run.reward.push_back((policy.log_probabilities().exp() * reward_).sum(1).mean().item<double>());
      for (int step = 0; step < steps_of_look; ++step) policy.descend(list, batch, 0.005 / (beta * beta));
    }
    return run;
  }

 private:
  LikelihoodPoint look_at(const Tensor& logps, int look) const {
    const Tensor signals = top_k_signals(10, false).reduce({.logits = logps}).mean(0);
    LikelihoodPoint point{.step = look, .entropy = signals[0].item<double>(), .mass = signals[1].item<double>()};
    double pairs = 0;
    for (std::int64_t x = 0; x < prompts; ++x) {
      for (const auto& pair : pairs_[static_cast<std::size_t>(x)]) {
        point.chosen += logps[x][pair.chosen].item<double>();
        point.rejected += logps[x][pair.rejected].item<double>();
        pairs += 1;
      }
    }
    point.chosen /= pairs;
    point.rejected /= pairs;
    return point;
  }

  Random random_;
  Tensor features_, bias_, reward_;
  std::array<std::vector<RecordView::Preference>, prompts> pairs_ = {};
};

TEST(OverOptimisationClaims, TheAlarmPrecedesTheDropOfTheTrueRewardUnderATinyBeta) {
  at::set_num_threads(1);
  std::vector<RareAnswersAreWorse::Run> dropping;
  const int wanted = testing::count_of({.quick = 12, .full = 40});
  std::uint64_t world = 0;
  for (; std::ssize(dropping) < wanted && world < 3 * static_cast<std::uint64_t>(wanted); ++world) {
    auto run = RareAnswersAreWorse(world).train(0.05);
    if (run.drop() >= 0) dropping.push_back(std::move(run));
  }
  ASSERT_EQ(std::ssize(dropping), wanted) << "of " << world;
  RecordProperty("worlds_tried", static_cast<int>(world));
  testing::expect_wins("alarm_before_the_drop", {.quick = 12, .full = 40}, [&](std::uint64_t i) {
    const auto& run = dropping[i];
    return run.alarm() < 0 ? -1.0 : static_cast<double>(run.drop() - run.alarm());
  });
}

// A beta that holds: nothing drops, and hardly anything is said.
TEST(OverOptimisationClaims, ARunThatItsBetaHoldsRaisesHardlyAnyAlarm) {
  at::set_num_threads(1);
  const int worlds = testing::count_of({.quick = 12, .full = 40});
  int alarms = 0;
  for (int world = 0; world < worlds; ++world) {
    const auto run = RareAnswersAreWorse(static_cast<std::uint64_t>(world)).train(1);
    EXPECT_LT(run.drop(), 0) << world;
    alarms += run.alarm() >= 0 ? 1 : 0;
  }
  RecordProperty("alarms", alarms);
  EXPECT_LE(alarms, worlds / 6);
}

}  // namespace
}  // namespace attune::diagnostics
