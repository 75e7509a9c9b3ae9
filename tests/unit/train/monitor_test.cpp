// When a run looks at itself, at what, and that looking changes nothing.
#include "attune/train/monitor.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "attune/base/log.h"
#include "attune/reports/metrics.h"
#include "attune/train/offline.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

std::vector<TokenRecord> compared(std::size_t count, std::size_t tokens) {
  std::vector<TokenRecord> records(count);
  for (TokenRecord& record : records) {
    for (int side = 0; side < 2; ++side) {
      record.completions.push_back(
          {std::vector<std::int32_t>(tokens / 2, 3), std::vector<std::uint8_t>(tokens / 2, 1)});
      record.scored_tokens.push_back(static_cast<std::int64_t>(tokens / 2));
      record.sequence_tokens.push_back(static_cast<std::int64_t>(tokens / 2));
    }
    record.preferences = {{.chosen = 0, .rejected = 1}};
  }
  return records;
}

// 32 records of 100 tokens a step, 1000 steps: every 50 steps, and half a per cent of 50 steps' three passes over 3200
// tokens are 2400 tokens, 24 records.
TEST(MonitorPlan, LooksAtAsMuchAsHalfAPerCentOfThePassesPays) {
  const auto records = compared(500, 100);
  const MonitorPlan plan = plan_monitor({}, records, {.step_tokens = 3200, .steps = 1000});
  EXPECT_EQ(plan.every, 50);
  EXPECT_EQ(plan.records.size(), 24U);
  EXPECT_EQ(plan.records.front(), 0U);
  EXPECT_GT(plan.records.back(), 450U) << "spread over all of them";
  // One record a step: two records are a look, which 2 / 0.015 steps pay.
  const MonitorPlan small = plan_monitor({}, records, {.step_tokens = 100, .steps = 1000});
  EXPECT_EQ(small.every, 134);
  EXPECT_EQ(small.records.size(), 2U);
}

TEST(MonitorPlan, RunsTooShortOrWithoutComparisonsAreLeftAlone) {
  const auto records = compared(500, 100);
  EXPECT_EQ(plan_monitor({}, records, {.step_tokens = 100, .steps = 500}).every, 0);
  EXPECT_EQ(plan_monitor({}, std::vector<TokenRecord>(5), {.step_tokens = 100, .steps = 5000}).every, 0);
  EXPECT_EQ(plan_monitor({.over_optimisation = false}, records, {.step_tokens = 3200, .steps = 1000}).every, 0);
}

TEST(MonitorPlan, WhatIsSetIsKept) {
  const auto records = compared(500, 100);
  const MonitorPlan plan = plan_monitor({.every = 3, .records = 40}, records, {.step_tokens = 100, .steps = 100});
  EXPECT_EQ(plan.every, 3);
  EXPECT_EQ(plan.records.size(), 40U);
}

class WatchedRun : public ::testing::Test {
 protected:
  WatchedRun() {
    at::set_num_threads(1);
    set_log_level(LogLevel::quiet);
    ::setenv("ATTUNE_CACHE", (place_ / "cache").c_str(), 1);
  }
  ~WatchedRun() override { ::unsetenv("ATTUNE_CACHE"); }

  Path run(const std::string& name, const std::string& keys) {
    const Path recorded = Path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded/trl", out = place_ / name;
    RunFile file = parse_run(
        "model: " + (recorded / "model").string() + "\ndata: {train: " + (recorded / "pairs.jsonl").string() +
            "}\nbatch: {records: 4}\nsteps: 8\nsamples: {prompts: 0}\n" + keys + "\nout: " + out.string() + "\n",
        "run.yaml", {}, "dpo");
    RunDirectory directory = RunDirectory::create(disk(), file);
    ::testing::internal::CaptureStderr();
    run_offline(file, directory, {.fs = disk()});
    said_ = ::testing::internal::GetCapturedStderr();
    return out;
  }
  testing::TemporaryDirectory place_;
  std::string said_;
};

TEST_F(WatchedRun, LogsItsLikelihoodsAndEndsWithTheSameWeights) {
  const Path watched = run("watched", "optimizer: {lr: 1.0e-3}\nmonitor: {every: 2, records: 3}");
  const Path alone = run("alone", "optimizer: {lr: 1.0e-3}\nmonitor: {over_optimisation: false}");
  EXPECT_EQ(read_file(watched / "model/model.safetensors"), read_file(alone / "model/model.safetensors"));
  for (const Json& row : read_appended_rows(watched / "metrics.jsonl")) {
    const std::int64_t step = row.find("step")->integer();
    const bool looked = step == 1 || step % 2 == 0;
    for (const char* name : {"likelihood/chosen", "likelihood/rejected", "likelihood/entropy", "likelihood/mass"}) {
      EXPECT_EQ(row.find(name) != nullptr, looked) << step << name;
    }
  }
  for (const Json& row : read_appended_rows(alone / "metrics.jsonl")) EXPECT_EQ(row.find("likelihood/mass"), nullptr);
}

// A rate that drives the policy away within a few steps: said once, at the look that shows it.
TEST_F(WatchedRun, WarnsOnceWhenTheCurveSaysStop) {
  const Path away = run("away", "optimizer: {lr: 3.0e-2}\nmonitor: {every: 1, records: 8}");
  int warnings = 0;
  for (const char* rule : {"entropy-turn", "mass-loss", "concentration"}) {
    const std::string text = "over-optimisation (" + std::string(rule) + ")";
    const auto first = said_.find(text);
    if (first == std::string::npos) continue;
    ++warnings;
    EXPECT_EQ(said_.find(text, first + 1), std::string::npos) << said_;
  }
  EXPECT_GT(warnings, 0) << said_;
}

// Steps behind a checkpoint are looked at again after a resume, and what was said before it is not said again.
TEST_F(WatchedRun, GoesOnWithTheCurveOfItsMetrics) {
  std::vector<Json> rows;
  for (std::int64_t step = 1; step <= 6; ++step) {
    const double fallen = 0.2 * static_cast<double>(step);
    rows.push_back(Json::object({{"step", step},
                                 {"stage", "dpo"},
                                 {"likelihood/chosen", -1 - fallen},
                                 {"likelihood/rejected", -2 - fallen},
                                 {"likelihood/entropy", 3 - fallen},
                                 {"likelihood/mass", 0.9}}));
  }
  LanguageModel model = testing::tiny_model(testing::tiny_llama);
  const auto records = compared(2, 8);
  Monitor monitor({.every = 1}, {.every = 1, .records = {0, 1}}, records, "dpo");
  monitor.recall(rows);
  Json row = Json::object({{"step", 7}, {"stage", "dpo"}});
  ::testing::internal::CaptureStderr();
  monitor.after_step(model, 7, row);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(row.find("likelihood/entropy"), nullptr);
}

}  // namespace
}  // namespace attune
