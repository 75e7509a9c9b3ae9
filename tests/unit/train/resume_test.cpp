// A run of two stages, stopped at each operation of its saves, ends with the weights of the run that nobody disturbed.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/base/threads.h"
#include "attune/train/offline.h"
#include "attune/train/run_directory.h"
#include "support/faulty_fs.h"
#include "support/temporary.h"

namespace attune {
namespace {

using testing::Crash;
using testing::Fault;
using testing::FaultyFs;
using testing::TemporaryDirectory;

RunFile two_stages(const Path& out, const std::vector<std::string>& overrides) {
  const Path recorded = Path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded/trl";
  const std::string text = "model: " + (recorded / "model").string() +
                           "\nbatch: {records: 4}\nsave_every: 1\nsteps: 2\nsamples: {prompts: 0}\n"
                           "data: {eval: " +
                           (recorded / "pairs.jsonl").string() +
                           "}\n"
                           "stages:\n- sft: {data: {train: " +
                           (recorded / "demonstrations.jsonl").string() +
                           "}, optimizer: {lr: 1.0e-2}, eval_every: 1}\n"
                           "- dpo: {data: {train: " +
                           (recorded / "pairs.jsonl").string() + "}, optimizer: {lr: 1.0e-3}}\nout: " + out.string() +
                           "\n";
  return parse_run(text, "run.yaml", overrides, "dpo");
}

// One attempt on the directory, as the program makes it: resumed where a run has begun.
RunOutcome attempt(Fs& fs, const Path& out, const std::vector<std::string>& overrides = {}) {
  ::setenv("ATTUNE_CACHE", (out.parent_path() / "cache").c_str(), 1);
  RunFile run = two_stages(out, overrides);
  const bool begun = std::filesystem::exists(out / "manifest.json");
  if (begun) run = reload_run(out);
  RunDirectory directory = begun ? RunDirectory::open(fs, out) : RunDirectory::create(fs, run);
  return run_offline(run, directory, {.fs = fs});
}

std::string weights_of(const Path& out) { return read_file(out / "model" / "model.safetensors"); }

std::vector<std::int64_t> steps_in_metrics(const Path& out) {
  std::vector<std::int64_t> steps;
  std::istringstream lines(read_file(out / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) steps.push_back(Json::parse(line).find("step")->integer());
  return steps;
}

class Resume : public ::testing::Test {
 protected:
  Resume() {
    at::set_num_threads(1);
    set_log_level(LogLevel::quiet);
    const TemporaryDirectory place;
    FaultyFs counting;
    attempt(counting, place / "run");
    operations_ = counting.operations();
    weights_ = weights_of(place / "run");
  }
  ~Resume() override { ::unsetenv("ATTUNE_CACHE"); }

  // Stops at operation `fault.at`, goes on with a whole disk, and compares.
  void expect_nothing_lost(const Fault& fault) {
    const TemporaryDirectory place;
    const Path out = place / "run";
    FaultyFs fs(fault);
    EXPECT_THROW(attempt(fs, out), Crash);
    FaultyFs whole;
    attempt(whole, out);
    EXPECT_EQ(weights_of(out), weights_);
    EXPECT_EQ(steps_in_metrics(out), (std::vector<std::int64_t>{1, 2, 3, 4}));
    EXPECT_TRUE(std::filesystem::exists(out / "report.html"));
  }

  std::int64_t operations_ = 0;
  std::string weights_;
};

TEST_F(Resume, RunStoppedAtAnyFileOperationEndsWithTheSameWeights) {
  ASSERT_GT(operations_, 100);
  for (std::int64_t at = 1; at <= operations_ && !HasFailure(); at += 5) {
    SCOPED_TRACE("operation " + std::to_string(at) + " of " + std::to_string(operations_));
    expect_nothing_lost({.at = at});
  }
}

TEST_F(Resume, RunThatLosesPowerAtAnyFileOperationEndsWithTheSameWeights) {
  for (std::int64_t at = 3; at <= operations_ && !HasFailure(); at += 5) {
    SCOPED_TRACE("operation " + std::to_string(at) + " of " + std::to_string(operations_));
    expect_nothing_lost({.at = at, .power_loss = static_cast<std::uint64_t>(at)});
  }
}

TEST_F(Resume, FinishedRunAnswersAsItDidBefore) {
  const TemporaryDirectory place;
  FaultyFs fs;
  attempt(fs, place / "run");
  const RunOutcome again = attempt(fs, place / "run");
  EXPECT_EQ(again.steps, 4);
  EXPECT_EQ(again.metrics.at("step"), 4);
  EXPECT_GT(again.loss, 0);
  EXPECT_EQ(weights_of(place / "run"), weights_);
}

TEST_F(Resume, ChangedRunFileIsRefused) {
  const TemporaryDirectory place;
  FaultyFs fs;
  attempt(fs, place / "run");
  disk().create(place.path() / "run" / "run.yaml", /*append=*/true)->write("# later\n");
  EXPECT_THROW(attempt(fs, place / "run"), ConfigError);
}

TEST_F(Resume, OtherThreadsAreRefusedWithBothNumbers) {
  const TemporaryDirectory place;
  FaultyFs fs;
  attempt(fs, place / "run");
  const int threads = thread_count();
  set_thread_count(threads + 1);
  try {
    attempt(fs, place / "run");
    ADD_FAILURE() << "expected ConfigError";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.problem().found, "threads " + std::to_string(threads + 1));
    EXPECT_EQ(error.problem().expected, "threads " + std::to_string(threads) + " as in the checkpoint");
  }
  set_thread_count(threads);
}

TEST_F(Resume, StageAfterAnAdapterStartsFromTheMergedWeights) {
  const TemporaryDirectory place;
  FaultyFs fs;
  const Path out = place / "run";
  attempt(fs, out, {"model.adapter.rank=2"});
  EXPECT_TRUE(std::filesystem::exists(out / "stages/1-sft/model/model.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(out / "model/adapter_model.safetensors"));
  const Json config = Json::parse(read_file(out / "model/adapter_config.json"));
  EXPECT_EQ(config.find("base_model_name_or_path")->string(), (out / "stages/1-sft/model").string());
}

}  // namespace
}  // namespace attune
