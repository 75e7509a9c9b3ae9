// Claims proven exactly on enumerated answers.
#include "attune/policy/tabular.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "support/pairs.h"

namespace attune {
namespace {

constexpr std::int64_t prompts = 3, answers = 4;

Tensor table(std::string_view stream, double scale) {
  Random random(11, stream);
  std::vector<double> values;
  for (std::int64_t i = 0; i < prompts * answers; ++i) values.push_back(scale * random.normal());
  return at::tensor(values, at::kDouble).view({prompts, answers});
}

ObjectiveList choose(std::string_view name) {
  ObjectiveList list;
  list.emplace_back(*find_part<Objective>(name));
  return list;
}

// Every ordered pair of different answers, weighted by the Bradley-Terry probability that the first one wins.
Batch population(const ObjectiveList& objectives, const Tensor& reward) {
  Layout layout;
  const std::vector<std::int64_t> tokens(answers, 1);
  for (std::int64_t x = 0; x < prompts; ++x) {
    std::vector<RecordView::Preference> preferences;
    for (std::int32_t i = 0; i < answers; ++i) {
      for (std::int32_t j = 0; j < answers; ++j) {
        const double gap = (reward[x][i] - reward[x][j]).item<double>();
        if (i != j) preferences.push_back({.chosen = i, .rejected = j, .weight = 1 / (1 + std::exp(-gap))});
      }
    }
    lay_out(objectives, {.index = x, .scored_tokens = tokens, .preferences = preferences}, layout);
  }
  return layout.take();
}

double descend(TabularPolicy& policy, const ObjectiveList& objectives, const Batch& batch, int steps, double rate) {
  const Needs needs = needs_of(objectives);
  Counts counts;
  counts.add(batch);
  double value = 0;
  for (int step = 0; step < steps; ++step) {
    policy.logits().mutable_grad() = Tensor();
    const Tensor loss =
        total(compute(objectives, policy.score(batch, needs), std::vector<Statistics>(objectives.size()), {}), counts);
    loss.backward();
    value = loss.item<double>();
    const at::AutoGradMode off(false);
    Tensor(policy.logits()).sub_(rate * policy.logits().grad());
  }
  return value;
}

// Rafailov et al. 2023, eq. 4: the optimum of the DPO loss on data from a Bradley-Terry reward r is
// pi(y|x) = ref(y|x) exp(r(x, y) / beta) / Z(x).
TEST(TabularDpo, ReachesTheClosedFormOptimum) {
  const Tensor reference = table("reference", 1), reward = table("reward", 0.5);
  TabularPolicy policy(reference);
  const auto objectives = choose("dpo");
  const double beta = 0.1;
  const Batch batch = population(objectives, reward);
  descend(policy, objectives, batch, 600, 400);
  const Tensor optimum = at::log_softmax(reference + reward / beta, -1);
  EXPECT_TRUE(at::allclose(policy.log_probabilities(), optimum, 1e-6, 1e-6)) << policy.log_probabilities() << optimum;
}

TEST(TabularDpo, GradientThroughThePolicyEqualsFiniteDifferences) {
  const Tensor reference = table("reference", 1), start = table("start", 1);
  const auto objectives = choose("dpo");
  const Batch batch = population(objectives, table("reward", 0.5));
  Counts counts;
  counts.add(batch);
  const auto loss = [&](TabularPolicy& policy) {
    policy.freeze("reference", reference);
    return total(compute(objectives, policy.score(batch, needs_of(objectives)), std::vector<Statistics>(1), {}),
                 counts);
  };
  TabularPolicy policy(start);
  loss(policy).backward();
  const Tensor differences = testing::finite_differences(start, [&](const Tensor& logits) {
    TabularPolicy moved(logits);
    return loss(moved).item<double>();
  });
  EXPECT_TRUE(at::allclose(policy.logits().grad(), differences, 1e-7, 1e-9));
}

TEST(TabularSft, ReachesTheEmpiricalDistribution) {
  // Answer y of each prompt is demonstrated y + 1 times: the optimum is (1, 2, 3, 4) / 10.
  TabularPolicy policy(table("start", 1));
  const auto objectives = choose("sft");
  Layout layout;
  for (std::int64_t x = 0; x < prompts; ++x) {
    for (std::int32_t y = 0; y < answers; ++y) {
      const std::vector<std::int64_t> tokens(answers, 1);
      std::vector<std::int8_t> thumbs(answers, -1);
      thumbs[static_cast<std::size_t>(y)] = 1;
      for (int copy = 0; copy <= y; ++copy) {
        lay_out(objectives, {.index = x, .scored_tokens = tokens, .thumbs = thumbs}, layout);
      }
    }
  }
  descend(policy, objectives, layout.take(), 1000, 8);
  const Tensor expected = at::tensor({0.1, 0.2, 0.3, 0.4}, at::kDouble).expand({prompts, answers});
  EXPECT_TRUE(at::allclose(policy.log_probabilities().exp(), expected, 1e-6, 1e-8));
}

}  // namespace
}  // namespace attune
