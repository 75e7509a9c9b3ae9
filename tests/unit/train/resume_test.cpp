// A run of two stages, stopped at each operation of its saves, ends with the weights of the run that nobody disturbed.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "attune/base/log.h"
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

RunFile two_stages(const Path& out) {
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
  return parse_run(text, "run.yaml", {}, "dpo");
}

// One attempt on the directory, as the program makes it: resumed where a run has begun.
void attempt(Fs& fs, const Path& out) {
  ::setenv("ATTUNE_CACHE", (out.parent_path() / "cache").c_str(), 1);
  RunFile run = two_stages(out);
  const bool begun = std::filesystem::exists(out / "manifest.json");
  if (begun) run = reload_run(out);
  RunDirectory directory = begun ? RunDirectory::open(fs, out) : RunDirectory::create(fs, run);
  run_offline(run, directory, {.fs = fs});
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
  for (std::int64_t at = 1; at <= operations_ && !HasFailure(); at += 7) {
    SCOPED_TRACE("operation " + std::to_string(at) + " of " + std::to_string(operations_));
    expect_nothing_lost({.at = at});
  }
}

TEST_F(Resume, RunThatLosesPowerAtAnyFileOperationEndsWithTheSameWeights) {
  for (std::int64_t at = 4; at <= operations_ && !HasFailure(); at += 7) {
    SCOPED_TRACE("operation " + std::to_string(at) + " of " + std::to_string(operations_));
    expect_nothing_lost({.at = at, .power_loss = static_cast<std::uint64_t>(at)});
  }
}

}  // namespace
}  // namespace attune
