// Objectives on whole distributions: values against scalar code, and the cases in which one is another.
#include <ATen/ops/allclose.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/policy/tabular.h"
#include "support/objective_of.h"
#include "support/sequence_policy.h"

namespace attune {
namespace {

using testing::expect_same;
using testing::labelled_records;
using testing::objective_of;
using testing::SequencePolicy;
using testing::step_of;

const std::vector<std::int64_t> in_order{0, 1, 2, 3};

TEST(TokenLevel, SpecialCasesAreTheirNamesakes) {
  expect_same("{sparsepo: {mask: none}}", "{tdpo: {version: tdpo1}}");
  expect_same("{sparsepo: {mask: none, divergence: false}}", "dpo");
  expect_same("{tdpo: {alpha: 0}}", "dpo");
}

// One answer, one token, three words: every divergence by hand.
class OneToken : public ::testing::Test {
 protected:
  const std::vector<double> student_{0.5, -1, 0.2}, teacher_{1, 0.3, -0.7};

  static std::vector<double> softmax(const std::vector<double>& logits) {
    std::vector<double> p;
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit);
    for (const double logit : logits) p.push_back(std::exp(logit) / sum);
    return p;
  }
  static double kl(const std::vector<double>& p, const std::vector<double>& q) {
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * std::log(p[i] / q[i]);
    return sum;
  }
  static double kl_to_tilt(const std::vector<double>& p, const std::vector<double>& good,
                           const std::vector<double>& bad, double w) {
    std::vector<double> logits;
    for (std::size_t i = 0; i < p.size(); ++i) logits.push_back(good[i] + w * (good[i] - bad[i]));
    return kl(p, softmax(logits));
  }

  TabularPolicy policy_{at::tensor(student_, at::kDouble).view({1, 3})};
  // The loss with one demonstration, of answer 0.
  double loss(const std::string& objective, Tensor* gradient = nullptr) {
    const ObjectiveList list = objective_of(objective);
    const std::vector<std::int64_t> tokens(3, 1);
    const std::vector<RecordView::Preference> preferences{{.chosen = 0, .rejected = 1}};
    Layout layout;
    lay_out(list, {.index = 0, .scored_tokens = tokens, .preferences = preferences}, layout);
    const Batch batch = layout.take();
    Counts counts;
    counts.add(batch);
    const Tensor value = total(compute(list, policy_.score(batch, needs_of(list)), {{}}, {}), counts);
    policy_.logits().mutable_grad() = Tensor();
    value.backward();
    if (gradient != nullptr) *gradient = policy_.logits().grad().clone();
    return value.item<double>();
  }
};

TEST_F(OneToken, GkdIsForwardReverseAndJensenShannon) {
  policy_.freeze("teacher", at::tensor(teacher_, at::kDouble).view({1, 3}));
  const auto s = softmax(student_), t = softmax(teacher_);
  EXPECT_NEAR(loss("{gkd: {beta: 0}}"), kl(t, s), 1e-12);
  EXPECT_NEAR(loss("{gkd: {beta: 1}}"), kl(s, t), 1e-12);
  std::vector<double> mixture;
  for (std::size_t i = 0; i < 3; ++i) mixture.push_back(0.7 * s[i] + 0.3 * t[i]);
  EXPECT_NEAR(loss("{gkd: {beta: 0.3}}"), 0.3 * kl(t, mixture) + 0.7 * kl(s, mixture), 1e-12);
}

TEST_F(OneToken, AlignDistilWithModelsThatAgreeHasTheSmallestStrength) {
  policy_.freeze("dpo", at::tensor(teacher_, at::kDouble).view({1, 3}));
  policy_.freeze("reverse", at::tensor(teacher_, at::kDouble).view({1, 3}));
  EXPECT_NEAR(loss("aligndistil"), 0.1 / 1e-3 * kl(softmax(student_), softmax(teacher_)), 1e-9);
}

TEST_F(OneToken, AlignDistilAdaptsItsStrengthToTheDistanceOfBothModels) {
  const std::vector<double> reverse{-0.2, 0.4, 0.1};
  policy_.freeze("dpo", at::tensor(teacher_, at::kDouble).view({1, 3}));
  policy_.freeze("reverse", at::tensor(reverse, at::kDouble).view({1, 3}));
  const auto good = softmax(teacher_), bad = softmax(reverse);
  double distance = 0;
  for (std::size_t i = 0; i < 3; ++i) distance += std::abs(good[i] - bad[i]);
  const double w = 10 * distance + 1e-3;
  EXPECT_NEAR(loss("aligndistil"), 0.1 / w * kl_to_tilt(softmax(student_), teacher_, reverse, w), 1e-10);
}

// The works_when of aligndistil: with a fixed strength w = b1 / b2 - 1 against the reference itself, b2 KL(pi || p*)
// has the gradient of -(b1 E_pi[log p_dpo / p_ref] - b2 KL(pi || p_ref)), the token-level RLHF objective, by
// enumeration.
TEST_F(OneToken, AlignDistilWithoutAdaptivityHasTheGradientOfRlhf) {
  const std::vector<double> reference{0.1, 0.6, -0.3};
  policy_.freeze("dpo", at::tensor(teacher_, at::kDouble).view({1, 3}));
  policy_.freeze("reference", at::tensor(reference, at::kDouble).view({1, 3}));
  const double b1 = 0.5, b2 = 0.2, w = b1 / b2 - 1;
  Tensor gradient;
  loss(
      "{aligndistil: {contrast: reference, strength: " + std::to_string(w) + ", beta: " + std::to_string(b2 * w) + "}}",
      &gradient);
  Tensor logits = at::tensor(student_, at::kDouble).view({1, 3}).set_requires_grad(true);
  const Tensor log_pi = at::log_softmax(logits, 1), pi = log_pi.exp();
  const Tensor log_dpo = at::log_softmax(at::tensor(teacher_, at::kDouble).view({1, 3}), 1);
  const Tensor log_ref = at::log_softmax(at::tensor(reference, at::kDouble).view({1, 3}), 1);
  (-(b1 * (pi * (log_dpo - log_ref)).sum() - b2 * (pi * (log_pi - log_ref)).sum())).backward();
  EXPECT_TRUE(at::allclose(gradient, logits.grad(), 1e-9, 1e-12)) << gradient << logits.grad();
}

Tensor matrix(const Json& rows) {
  std::vector<double> values;
  for (const Json& row : rows.items()) {
    for (const Json& value : row.items()) values.push_back(value.number());
  }
  return at::tensor(values, at::kDouble).view({static_cast<std::int64_t>(rows.items().size()), -1});
}

// tests/parity/record_distillation.py: TRL's own loss on the same logits, a token each.
TEST(Gkd, LossAndGradientEqualTrls) {
  const Json recorded = Json::parse(read_file(Path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded/distillation.json"));
  const Tensor student = matrix(*recorded.find("student")), teacher = matrix(*recorded.find("teacher"));
  for (const Json& one : recorded.find("cases")->items()) {
    const ObjectiveList list = objective_of("{gkd: {beta: " + one.find("beta")->str() +
                                            ", temperature: " + one.find("temperature")->str() + "}}");
    TabularPolicy policy(student);
    policy.freeze("teacher", teacher);
    Layout layout;
    const std::vector<std::int64_t> tokens(1, 1);
    for (std::int64_t x = 0; x < student.size(0); ++x) lay_out(list, {.index = x, .scored_tokens = tokens}, layout);
    const Batch batch = layout.take();
    Counts counts;
    counts.add(batch);
    const Tensor loss = total(compute(list, policy.score(batch, needs_of(list)), {{}}, {}), counts);
    loss.backward();
    EXPECT_NEAR(loss.item<double>(), one.find("loss")->number(), 1e-12) << one.find("beta")->str();
    EXPECT_TRUE(at::allclose(policy.logits().grad(), matrix(*one.find("gradient")), 1e-10, 1e-13));
  }
}

}  // namespace
}  // namespace attune
