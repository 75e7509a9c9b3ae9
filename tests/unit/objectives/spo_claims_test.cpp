// What SPO claims: telling how much was taken out of an answer makes the implicit reward follow its quality.
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "support/claims.h"
#include "support/linear_policy.h"
#include "support/objective_of.h"

namespace attune {
namespace {

using testing::expect_wins;
using testing::normal;
using testing::objective_of;

// Answers of sixteen features, of which one direction is how much content they have; people prefer more of it. What
// both the policy and SPO's head see of an answer goes through one small matrix that is learned: score u A f, degree
// W A f. Variants of the compared answers with a third or two thirds of the content gone are labelled by themselves.
class SharedStates final : public Policy {
 public:
  static constexpr std::int64_t width = 16, states = 4, pairs = 8, levels = 3;

  explicit SharedStates(std::uint64_t seed) : random_(seed, "shared-states") {
    content_ = normal(random_, {width});
    content_ /= content_.norm();
    matrix_ = normal(random_, {states, width}, 0.3);
    out_ = normal(random_, {states}, 0.3);
    head_ = at::zeros({levels, states}, at::kDouble);
    // Of record x: chosen, rejected, and two variants of each.
    features_ = at::zeros({pairs, 2 * levels, width}, at::kDouble);
    for (std::int64_t x = 0; x < pairs; ++x) {
      Tensor one = answer(), other = answer();
      if (quality(one) < quality(other)) std::swap(one, other);
      for (std::int64_t level = 0; level < levels; ++level) {
        const double left = 1 - static_cast<double>(level) / levels;
        features_[x][2 * level].copy_(one + (left - 1) * quality(one) * content_);
        features_[x][2 * level + 1].copy_(other + (left - 1) * quality(other) * content_);
      }
    }
    start_ = at::matmul(out_, matrix_).clone();
    for (Tensor* tensor : {&matrix_, &out_, &head_}) tensor->set_requires_grad(true);
  }

  Responses score(const Batch& batch, const Needs&) override {
    Responses responses = batch.skeleton(matrix_);
    std::vector<Tensor> rows;
    for (const auto& planned : batch.responses) rows.push_back(features_[planned.record][planned.completion]);
    const Tensor seen = at::stack(rows);
    // A prompt has many more answers than these: what normalises them is the same for all of a pair and cancels.
    responses.logps = at::matmul(at::matmul(seen, matrix_.t()), out_);
    responses.models["reference"].logps = at::matmul(seen, start_);
    responses.heads["degree"] = at::matmul(at::matmul(seen, matrix_.t()), head_.t());
    return responses;
  }

  struct Outcome {
    double correlation = 0;  // of implicit reward and quality, over new answers
    double accuracy = 0;     // of the head on variants of new answers
  };
  Outcome train(const std::string& objective, int steps) {
    const ObjectiveList list = objective_of(objective);
    const Batch batch = testing::batch_of(list, pairs, 2 * levels, [](TokenRecord& record, std::int64_t) {
      record.preferences = {{.chosen = 0, .rejected = 1}};
      for (std::int32_t level = 0; level < levels; ++level) {
        for (int side = 0; side < 2; ++side) record.labels.push_back({.level = level});
      }
    });
    Counts counts;
    counts.add(batch);
    for (int step = 0; step < steps; ++step) {
      for (Tensor* tensor : {&matrix_, &out_, &head_}) tensor->mutable_grad() = Tensor();
      total(compute(list, score(batch, needs_of(list)), std::vector<Statistics>(1), {}), counts).backward();
      const at::AutoGradMode off(false);
      for (Tensor* tensor : {&matrix_, &out_, &head_}) {
        if (tensor->grad().defined()) tensor->sub_(0.2 * tensor->grad());
      }
    }
    return measured();
  }

 private:
  // Content counts from 0 up; all else is noise.
  Tensor answer() {
    Tensor features = normal(random_, {width});
    return features + (6 * random_.uniform() - quality(features)) * content_;
  }
  double quality(const Tensor& features) const { return (features * content_).sum().item<double>(); }

  Outcome measured() {
    const at::AutoGradMode off(false);
    const Tensor direction = at::matmul(out_, matrix_) - start_;
    std::vector<double> rewards, qualities;
    double right = 0;
    for (int i = 0; i < 200; ++i) {
      const Tensor features = answer();
      rewards.push_back((features * direction).sum().item<double>());
      qualities.push_back(quality(features));
      const auto level = static_cast<std::int64_t>(random_.below(levels));
      const Tensor variant = features - (static_cast<double>(level) / levels) * quality(features) * content_;
      right += at::matmul(head_, at::matmul(matrix_, variant)).argmax().item<std::int64_t>() == level ? 1 : 0;
    }
    return {correlation(rewards, qualities), right / 200};
  }

  static double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    const Tensor x = at::tensor(a, at::kDouble), y = at::tensor(b, at::kDouble);
    const Tensor dx = x - x.mean(), dy = y - y.mean();
    return ((dx * dy).sum() / (dx.norm() * dy.norm())).item<double>();
  }

  Random random_;
  Tensor content_, matrix_, out_, head_, features_, start_;
};

// Li et al. 2024: what tells degrees apart is what tells answers apart. (At three times this weight of the degrees the
// correlation falls below DPO's: they are all that the matrix is for then.)
TEST(SpoClaims, DegreesBringTheImplicitRewardNearerToQualityThanDpoAlone) {
  double accuracy = 0;
  const testing::Worlds worlds{.quick = 24, .full = 80};
  const double gain = expect_wins("spo_reward_correlation_over_dpo", worlds, [&](std::uint64_t seed) {
    const auto spo =
        SharedStates(seed).train("{spo-preference-degree: {gamma: 1, levels: 3, objective: {dpo: {beta: 0.5}}}}", 60);
    accuracy += spo.accuracy / testing::count_of(worlds);
    return spo.correlation - SharedStates(seed).train("{dpo: {beta: 0.5}}", 60).correlation;
  });
  RecordProperty("head_accuracy", std::to_string(accuracy));
  EXPECT_GT(accuracy, 0.355) << "chance is a third; 200 draws a world have a standard error of 0.006 over 30 worlds";
  EXPECT_GT(gain, 0.02);
}

}  // namespace
}  // namespace attune
