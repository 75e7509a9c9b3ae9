#include "attune/train/run.h"

#include <gtest/gtest.h>

#include "attune/base/errors.h"
#include "attune/train/schedule.h"

namespace attune {
namespace {

constexpr const char* minimal = "model: m\ndata: {train: a.jsonl}\n";

std::string error_of(std::string text, std::vector<std::string> overrides = {}, std::string verb = "dpo") {
  try {
    parse_run(std::move(text), "run.yaml", overrides, verb);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(RunFile, VerbNamesTheObjectiveWhenTheFileDoesNot) {
  const RunFile run = parse_run(minimal, "run.yaml", {"optimizer.lr=1e-5", "objective.dpo.beta=0.2"}, "dpo");
  ASSERT_EQ(run.stages.size(), 1u);
  EXPECT_EQ(run.stages[0].settings.objective.at(0).name(), "dpo");
  EXPECT_EQ(run.stages[0].settings.optimizer.adamw.lr, 1e-5);
  EXPECT_EQ(run.stages[0].name, "dpo");
}

TEST(RunFile, AVerbThatContradictsTheFileIsRefused) {
  EXPECT_EQ(error_of(std::string(minimal) + "objective: sft\n"),
            "run.yaml:1 (field objective): found the objective sft; expected dpo, as on the command line");
}

TEST(RunFile, StagesShareWhatTheFileSaysAndKeepWhatIsTheirs) {
  const RunFile run = parse_run(
      "model: m\ndata: {train: a.jsonl, max_tokens: 64}\noptimizer: {adamw: {lr: 1.0e-3, weight_decay: 0.1}}\n"
      "stages:\n- sft: {epochs: 2}\n- dpo: {beta: 0.3, optimizer: {adamw: {lr: 1.0e-5}}, data: {train: b.jsonl}}\n",
      "run.yaml", {}, "dpo");
  ASSERT_EQ(run.stages.size(), 2u);
  EXPECT_EQ(run.stages[0].name, "1-sft");
  EXPECT_EQ(run.stages[0].settings.epochs, 2);
  EXPECT_EQ(run.stages[1].settings.epochs, 1);
  EXPECT_EQ(run.stages[1].settings.data.train.at(0).path, "b.jsonl");
  EXPECT_EQ(run.stages[1].settings.data.max_tokens, 64);
  EXPECT_EQ(run.stages[1].settings.optimizer.adamw.lr, 1e-5);
  EXPECT_EQ(run.stages[1].settings.optimizer.adamw.weight_decay, 0.1);
}

TEST(RunFile, TheCommandLineOutranksWhatAStageSays) {
  const RunFile run = parse_run(
      "model: m\ndata: {train: a.jsonl}\nstages:\n- sft: {epochs: 2}\n- dpo: {epochs: 3, optimizer: {adamw: {lr: "
      "1}}}\n",
      "run.yaml", {"epochs=1", "optimizer.lr=0.5", "stages.1.dpo.beta=0.7"}, "dpo");
  for (const Stage& stage : run.stages) EXPECT_EQ(stage.settings.epochs, 1);
  EXPECT_EQ(run.stages[1].settings.optimizer.adamw.lr, 0.5);
  EXPECT_EQ(save_run(const_cast<RunFile&>(run))
                .find("2-dpo")
                ->find("objective")
                ->items()[0]
                .find("dpo")
                ->find("beta")
                ->number(),
            0.7);
}

TEST(RunFile, TheShortLearningRateIsThatOfAdamW) {
  const RunFile run =
      parse_run(std::string(minimal) + "optimizer: {lr: 0.25, adamw: {beta1: 0.8}}\n", "run.yaml", {}, "dpo");
  EXPECT_EQ(run.stages[0].settings.optimizer.adamw.lr, 0.25);
  EXPECT_EQ(run.stages[0].settings.optimizer.adamw.beta1, 0.8);
  EXPECT_EQ(error_of(std::string(minimal) + "optimizer: {lr: 1, adamw: {lr: 2}}\n"),
            "run.yaml:3 (field optimizer.lr): found the learning rate twice: lr and adamw.lr; expected one of them");
}

TEST(RunFile, ResolvedSettingsOfOneStageAreARunFileAgain) {
  RunFile run = parse_run(minimal, "run.yaml", {"seed=5", "objective.dpo.beta=0.2"}, "dpo");
  RunFile again = parse_run(to_yaml(save_run(run)), "resolved.yaml", {}, "dpo");
  EXPECT_EQ(save_run(again), save_run(run));
}

TEST(RunFile, AStageMayHoldSeveralObjectives) {
  const RunFile run = parse_run(
      "model: m\ndata: {train: a.jsonl}\nstages:\n- dpo: {objective: [{dpo: {beta: 0.3}}, {sft: {weight: 0.5}}], "
      "epochs: 2}\n",
      "run.yaml", {}, "dpo");
  ASSERT_EQ(run.stages.at(0).settings.objective.size(), 2u);
  EXPECT_EQ(run.stages[0].settings.objective[1].weight, 0.5);
  EXPECT_NE(
      error_of("model: m\ndata: {train: a}\nstages: [{dpo: {objective: [dpo], beta: 1}}]\n").find("stages.dpo.beta"),
      std::string::npos);
}

TEST(RunFile, MistakesAreRefusedWithTheirPlace) {
  EXPECT_EQ(error_of("model: m\n"),
            "run.yaml:1 (field data.train): found no training data; expected a path: data.train=PATH");
  EXPECT_NE(error_of("data: {train: a}\n").find("found no model"), std::string::npos);
  EXPECT_NE(error_of("model: {config: c}\ndata: {train: a}\n").find("found pretrained without a path"),
            std::string::npos);
  EXPECT_NE(error_of(std::string(minimal) + "objective: {dpo: {betta: 1}}\n").find("did you mean 'beta'?"),
            std::string::npos);
  EXPECT_NE(error_of("model: m\ndata: {train: a}\nstages: [{dpo: {out: x}}]\n").find("belongs to the whole run"),
            std::string::npos);
}

// transformers' get_linear_schedule_with_warmup and get_cosine_schedule_with_warmup at 10 steps, 2 of them warm-up.
TEST(Schedule, FollowsTheConventionsOfTransformers) {
  const Schedule linear({.warmup = 0.2, .decay = Decay::linear}, 1.0, 10);
  EXPECT_DOUBLE_EQ(linear.at(0), 0);
  EXPECT_DOUBLE_EQ(linear.at(1), 0.5);
  EXPECT_DOUBLE_EQ(linear.at(2), 1);
  EXPECT_DOUBLE_EQ(linear.at(6), 0.5);
  const Schedule cosine({.warmup = 2, .decay = Decay::cosine}, 2.0, 10);
  EXPECT_NEAR(cosine.at(6), 1.0, 1e-15);
  EXPECT_NEAR(cosine.at(10), 0, 1e-15);
  EXPECT_DOUBLE_EQ(Schedule({.decay = Decay::constant}, 3.0, 10).at(9), 3);
  EXPECT_DOUBLE_EQ(Schedule({.decay = Decay::linear, .floor = 0.1}, 1.0, 10).at(10), 0.1);
}

}  // namespace
}  // namespace attune
