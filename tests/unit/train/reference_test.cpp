// References that move: where they are after a step, and that runs with them go on bit by bit.
#include "attune/train/reference.h"

#include <ATen/Parallel.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/policy/tabular.h"
#include "attune/train/offline.h"
#include "attune/train/run_directory.h"
#include "support/faulty_fs.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::FaultyFs;
using testing::TemporaryDirectory;

Tensor flat_of(const LanguageModel& model) { return model.parameters().flat().detach().clone(); }

// Moves every weight of the policy by `change`, as an optimiser step would.
void move(LanguageModel& model, double change) { model.parameters().flat().detach().add_(change); }

TEST(Reference, WithoutSettingsStaysWhereThePolicyBegan) {
  LanguageModel policy = testing::tiny_model(testing::tiny_llama);
  const Tensor start = flat_of(policy);
  Reference reference(policy, {}, {}, 10);
  move(policy, 0.5);
  EXPECT_FALSE(reference.after_step(1));
  EXPECT_TRUE(at::equal(flat_of(*reference.model()), start));
  EXPECT_TRUE(reference.state().empty());
}

TEST(Reference, MovesByItsShareOfTheWayEverySoManySteps) {
  LanguageModel policy = testing::tiny_model(testing::tiny_llama);
  const Tensor start = flat_of(policy);
  Reference reference(policy, {.every = 2, .mix = 0.6}, {}, 10);
  move(policy, 1);
  EXPECT_FALSE(reference.after_step(1));
  EXPECT_TRUE(at::equal(flat_of(*reference.model()), start));
  EXPECT_TRUE(reference.after_step(2));
  EXPECT_TRUE(at::allclose(flat_of(*reference.model()), 0.4 * start + 0.6 * flat_of(policy), 1e-12, 1e-14));
}

TEST(Reference, BiasCorrectedAverageFollowsItsRecursion) {
  LanguageModel policy = testing::tiny_model(testing::tiny_llama);
  const Tensor start = flat_of(policy);
  Reference reference(policy, {.every = 1, .bema = ReferenceSettings::Bema{}}, {}, 10);
  Tensor average = start.clone();
  for (int step = 1; step <= 5; ++step) {
    move(policy, 0.1 * step);
    reference.after_step(step);
    const Tensor theta = flat_of(policy);
    const double beta = std::pow(10 + step, -0.5), alpha = std::pow(10 + step, -0.2);
    average = (1 - beta) * average + beta * theta;
    EXPECT_TRUE(at::allclose(flat_of(*reference.model()), average + alpha * (theta - start), 1e-12, 1e-12));
  }
}

TEST(Reference, LiveReferenceIsThePolicyItself) {
  LanguageModel policy = testing::tiny_model(testing::tiny_llama);
  Reference reference(policy, {.mode = ReferenceMode::live}, {}, 10);
  EXPECT_EQ(reference.model().get(), &policy);
}

TEST(Reference, FollowsAnAdaptedPolicyInItsMergedWeights) {
  LanguageModel policy = testing::tiny_model(testing::tiny_llama);
  policy.attach_adapter({.rank = 2, .targets = {"all-linear"}}, 3);
  policy.adapter()->parameters().flat().detach().add_(0.05);
  Reference reference(policy, {.every = 1}, {}, 10);
  reference.after_step(1);
  const std::vector<std::vector<std::int32_t>> ids{{1, 2, 3, 4, 5, 6}};
  const TokenForest forest = forest_of_sequences(ids);
  EXPECT_LT(testing::distance(reference.model()->score(forest).logps, policy.score(forest).logps), 1e-10);
}

TEST(Reference, MomentumWithAnAdapterIsRefused) {
  LanguageModel policy = testing::tiny_model(testing::tiny_llama);
  policy.attach_adapter({.rank = 2, .targets = {"all-linear"}}, 3);
  EXPECT_THROW(Reference(policy, {}, {.count = 3, .momentum = 0.3}, 9), ConfigError);
}

// The works_when of accelerated-po: with exact rounds (here each round's optimum of the DPO objective, in closed form
// logits = those before + r / beta) the policy is reference * exp(c r / beta) / Z with
// c_t+1 = c_t + 1 + momentum (c_t - c_t-1), so at equal rounds it is nearer to the best answer than plain iteration.
TEST(AcceleratedPo, MomentumLengthensEveryRoundByItsShareOfTheLast) {
  const Tensor reward = at::tensor({0.3, -0.2, 0.5, 0.1}, at::kDouble),
               start = at::tensor({1., 0., -1., .5}, at::kDouble);
  const double beta = 0.5;
  for (const double momentum : {0.0, 0.3, 0.7}) {
    Tensor theta = start.clone(), before = start.clone();
    double last = 0, c = 0;
    for (int round = 0; round < 6; ++round) {
      theta.add_(reward / beta);
      extrapolate(theta, before, momentum);
      const double next = round == 0 ? 1 + momentum : c + 1 + momentum * (c - last);
      last = std::exchange(c, next);
      const Tensor expected = at::log_softmax(start + c * reward / beta, 0);
      EXPECT_TRUE(at::allclose(at::log_softmax(theta, 0), expected, 1e-10, 1e-12)) << momentum << " " << round;
    }
    EXPECT_NEAR(c - last, (1 - std::pow(momentum, 7)) / (1 - momentum), 1e-9);  // to 1 / (1 - momentum)
  }
}

class MovingRun : public ::testing::Test {
 protected:
  MovingRun() {
    at::set_num_threads(1);
    set_log_level(LogLevel::quiet);
    ::setenv("ATTUNE_CACHE", (place_ / "cache").c_str(), 1);
  }
  ~MovingRun() override { ::unsetenv("ATTUNE_CACHE"); }

  RunOutcome run(const std::string& name, const std::string& keys, const std::string& verb = "dpo", Fs* fs = nullptr) {
    const Path recorded = Path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded/trl";
    const Path out = place_ / name;
    const std::string text = "model: " + (recorded / "model").string() +
                             "\ndata: {train: " + (recorded / "pairs.jsonl").string() +
                             "}\nbatch: {records: 4}\nsteps: 4\nsave_every: 1\nkeep_checkpoints: 9\n"
                             "samples: {prompts: 0}\noptimizer: {lr: 1.0e-2}\nschedule: {decay: constant}\n" +
                             keys + "\nout: " + out.string() + "\n";
    RunFile file = parse_run(text, "run.yaml", {}, verb);
    FaultyFs whole;
    Fs& disk = fs != nullptr ? *fs : whole;
    const bool begun = std::filesystem::exists(out / "manifest.json");
    RunDirectory directory = begun ? RunDirectory::open(disk, out) : RunDirectory::create(disk, file);
    return run_offline(file, directory, {.fs = disk});
  }
  std::string weights(const std::string& name) { return read_file(place_ / name / "model" / "model.safetensors"); }
  // The losses of all steps.
  std::vector<double> losses(const std::string& name) {
    std::vector<double> values;
    std::istringstream lines(read_file(place_ / name / "metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) values.push_back(Json::parse(line).find("loss")->number());
    return values;
  }

  TemporaryDirectory place_;
};

TEST_F(MovingRun, AgainstALiveReferenceEveryStepLosesLogTwo) {
  run("live", "reference: live");
  for (const double loss : losses("live")) EXPECT_NEAR(loss, std::log(2), 1e-6);
}

TEST_F(MovingRun, AReferenceThatJumpsToThePolicyLosesLogTwoRightAfter) {
  run("jumps", "reference: {every: 2}");
  const auto values = losses("jumps");
  EXPECT_NEAR(values[0], std::log(2), 1e-6);
  EXPECT_GT(std::abs(values[1] - std::log(2)), 1e-4);
  EXPECT_NEAR(values[2], std::log(2), 1e-6);
}

TEST_F(MovingRun, OneRoundWithoutMomentumIsTheObjectiveItselfBitByBit) {
  run("plain", "");
  run("wrapped", "objective: {accelerated-po: {rounds: 1, momentum: 0.3}}", "accelerated-po");
  EXPECT_EQ(weights("plain"), weights("wrapped"));
}

TEST_F(MovingRun, RoundsWithoutMomentumAreAReferenceThatJumps) {
  run("jumps", "reference: {every: 2}");
  run("rounds", "objective: {accelerated-po: {rounds: 2, momentum: 0}}", "accelerated-po");
  EXPECT_EQ(weights("jumps"), weights("rounds"));
}

TEST_F(MovingRun, StoppedRunsGoOnBitByBitWhateverMoves) {
  const std::pair<std::string, std::string> runs[] = {
      {"reference: {every: 1, mix: 0.5}", "dpo"},
      {"reference: {every: 2, bema: {}}", "dpo"},
      {"objective: {accelerated-po: {rounds: 2, momentum: 0.5}}", "accelerated-po"},
      {"objective: {sparsepo: {mask: independent}}", "sparsepo"}};
  for (std::size_t i = 0; i < std::size(runs); ++i) {
    SCOPED_TRACE(runs[i].first);
    const std::string whole = "whole" + std::to_string(i), cut = "cut" + std::to_string(i);
    FaultyFs counting;
    run(whole, runs[i].first, runs[i].second, &counting);
    for (const double part : {0.45, 0.8}) {
      std::filesystem::remove_all(place_ / cut);
      FaultyFs fs({.at = static_cast<std::int64_t>(part * static_cast<double>(counting.operations()))});
      EXPECT_THROW(run(cut, runs[i].first, runs[i].second, &fs), testing::Crash);
      run(cut, runs[i].first, runs[i].second);
      EXPECT_EQ(weights(cut), weights(whole));
    }
  }
  EXPECT_TRUE(std::filesystem::exists(place_ / "whole3" / "model" / heads_file));
}

TEST_F(MovingRun, SettingsThatExcludeEachOtherAreRefusedBeforeAnythingLoads) {
  EXPECT_THROW(run("a", "reference: {mode: live, every: 2}"), ConfigError);
  EXPECT_THROW(run("b", "reference: {bema: {}}"), ConfigError);
  EXPECT_THROW(run("e", "reference: previous_stage"), ConfigError);
  EXPECT_THROW(run("c", "objective: gkd", "gkd"), ConfigError);  // no teacher named
  EXPECT_THROW(run("d", "reference: {every: 1}\nobjective: accelerated-po", "accelerated-po"), ConfigError);
}

}  // namespace
}  // namespace attune
