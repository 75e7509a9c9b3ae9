// Losses on pairs against TRL's own code, as tests/parity/record_pair_losses.py recorded it: value, and gradient at
// every token.
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "attune/config/read.h"
#include "attune/objectives/objective.h"
#include "attune/policy/policy.h"
#include "support/recorded.h"

namespace attune {
namespace {

const Json& get(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  require(value != nullptr, "a recorded file without " + std::string(key));
  return *value;
}

using Rows = std::vector<Tensor>;  // one a pair, of its answer's tokens

Rows rows(const Json& values) {
  Rows result;
  for (const Json& row : values.items()) {
    std::vector<double> numbers;
    for (const Json& number : row.items()) numbers.push_back(number.number());
    result.push_back(at::tensor(numbers, at::kDouble));
  }
  return result;
}

// Answers with given log-probabilities a token: completion 0 is the chosen one, 1 the rejected one, 2 the gold one.
class RecordedPolicy final : public Policy {
 public:
  static constexpr const char* parts[] = {"chosen", "rejected", "gold"};

  explicit RecordedPolicy(const Json& inputs) {
    for (const char* part : parts) {
      policy_[part] = rows(get(get(inputs, part), "policy"));
      reference_[part] = rows(get(get(inputs, part), "reference"));
      log_sum_square_[part] = rows(get(get(inputs, part), "log_sum_square"));
    }
    policy_["prompt"] = rows(get(get(inputs, "prompt"), "policy"));
    for (auto& [part, leaves] : policy_) {
      for (Tensor& leaf : leaves) leaf.set_requires_grad(true);
    }
  }

  std::size_t size() const { return policy_.at("prompt").size(); }
  std::int64_t tokens(std::size_t pair, const char* part) const { return policy_.at(part)[pair].size(0); }
  // Zeros where the objective does not look.
  Tensor gradient(const std::string& part, std::size_t pair) const {
    const Tensor& leaf = policy_.at(part)[pair];
    return leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf);
  }

  Responses score(const Batch& batch, const Needs& needs) override {
    Responses responses = batch.skeleton(policy_["prompt"][0]);
    Rows policy, reference, square;
    std::vector<std::int64_t> index;
    for (std::size_t i = 0; i < batch.responses.size(); ++i) {
      const PlannedResponse& planned = batch.responses[i];
      const char* part = parts[planned.completion];
      const auto pair = static_cast<std::size_t>(planned.record);
      Tensor logps = policy_[part][pair];
      if (planned.extent == Extent::whole) logps = at::cat({policy_["prompt"][pair], logps});
      policy.push_back(logps);
      reference.push_back(reference_[part][pair]);
      square.push_back(log_sum_square_[part][pair]);
      index.insert(index.end(), static_cast<std::size_t>(logps.size(0)), static_cast<std::int64_t>(i));
    }
    responses.tokens.logps = at::cat(policy);
    responses.tokens.response = at::tensor(index, at::kLong);
    const auto summed = [&](const Tensor& values) {
      return at::zeros({responses.size()}, values.options()).index_add(0, responses.tokens.response, values);
    };
    responses.logps = summed(responses.tokens.logps);
    if (needs.needs_model("reference"))
      responses.models["reference"] = {summed(at::cat(reference)), at::cat(reference)};
    for (const auto& term : needs.vocabulary) responses.tokens.vocabulary[term.name] = at::cat(square);
    return responses;
  }

 private:
  std::map<std::string, Rows> policy_ = {}, reference_ = {}, log_sum_square_ = {};
};

Batch batch_of(const ObjectiveList& objectives, const RecordedPolicy& policy) {
  Layout layout;
  const std::vector<RecordView::Preference> preferences{{.chosen = 0, .rejected = 1}};
  for (std::size_t i = 0; i < policy.size(); ++i) {
    std::vector<std::int64_t> answer, whole;
    for (const char* part : RecordedPolicy::parts) {
      answer.push_back(policy.tokens(i, part));
      whole.push_back(answer.back() + policy.tokens(i, "prompt") + 1);
    }
    const RecordView record{.index = static_cast<std::int64_t>(i),
                            .scored_tokens = answer,
                            .sequence_tokens = whole,
                            .preferences = preferences,
                            .reference_answer = 2};
    lay_out(objectives, record, layout);
  }
  return layout.take();
}

struct Choices {
  ObjectiveList objective = {};
  void describe(Fields& fields) { fields("objective", objective, ""); }
};

TEST(PairLossesOfTrl, EqualOursInValueAndGradient) {
  const Json recorded = testing::recorded("pair_losses");
  std::size_t count = 0;
  for (const Json& one : get(recorded, "cases").items()) {
    SCOPED_TRACE(std::string(get(one, "name").string()));
    Choices choices;
    read_config(parse_yaml("{\"objective\": " + std::string(get(one, "objective").string()) + "}", "recorded"),
                choices);
    const ObjectiveList& objectives = choices.objective;
    RecordedPolicy policy(get(recorded, "inputs"));
    const Batch batch = batch_of(objectives, policy);
    Counts counts;
    counts.add(batch);
    const Responses responses = policy.score(batch, needs_of(objectives));
    const std::vector<Statistics> statistics{objectives[0]->gather(responses)};
    const Tensor loss = total(compute(objectives, responses, statistics, {}), counts);
    loss.backward();
    const double tolerance = get(one, "tolerance").number(), expected = get(one, "loss").number();
    EXPECT_NEAR(loss.item<double>(), expected, tolerance * (1 + std::abs(expected)));
    for (const auto& [part, values] : get(one, "gradient").members()) {
      const Rows gradients = rows(values);
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        const Tensor ours = policy.gradient(std::string(part), i);
        EXPECT_TRUE(at::allclose(ours, gradients[i], tolerance, tolerance)) << part << " " << i << ours << gradients[i];
      }
    }
    ++count;
  }
  EXPECT_GE(count, 70u);
}

}  // namespace
}  // namespace attune
