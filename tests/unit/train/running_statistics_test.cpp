// Statistics that outlive a step come back with a checkpoint: BCO's shift goes on where it was.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "attune/base/log.h"
#include "attune/train/offline.h"
#include "attune/train/run_directory.h"
#include "support/faulty_fs.h"
#include "support/temporary.h"

namespace attune {
namespace {

using testing::Crash;
using testing::FaultyFs;
using testing::TemporaryDirectory;

// Four steps of BCO on pairs, each saved; resumed where a run has begun.
RunOutcome attempt(Fs& fs, const Path& out) {
  ::setenv("ATTUNE_CACHE", (out.parent_path() / "cache").c_str(), 1);
  const Path recorded = Path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded/trl";
  const std::string text = "model: " + (recorded / "model").string() +
                           "\nbatch: {records: 4}\nsteps: 4\nsave_every: 1\nsamples: {prompts: 0}\ndata: {train: " +
                           (recorded / "pairs.jsonl").string() + "}\noptimizer: {lr: 1.0e-2}\nout: " + out.string() +
                           "\n";
  const bool begun = std::filesystem::exists(out / "manifest.json");
  RunFile run = begun ? reload_run(out) : parse_run(text, "run.yaml", {}, "bco");
  RunDirectory directory = begun ? RunDirectory::open(fs, out) : RunDirectory::create(fs, run);
  return run_offline(run, directory, {.fs = fs});
}

TEST(RunningStatistics, ARunThatIsStoppedAndResumedHasTheSameShiftAndWeights) {
  at::set_num_threads(1);
  set_log_level(LogLevel::quiet);
  const TemporaryDirectory undisturbed;
  FaultyFs counting;
  const RunOutcome expected = attempt(counting, undisturbed / "run");
  ASSERT_NE(expected.metrics.at("delta"), 0);
  int stopped = 0;
  for (std::int64_t at = counting.operations() / 3; at < counting.operations(); at += counting.operations() / 5) {
    SCOPED_TRACE("operation " + std::to_string(at));
    const TemporaryDirectory place;
    FaultyFs fs({.at = at});
    EXPECT_THROW(attempt(fs, place / "run"), Crash);
    FaultyFs whole;
    const RunOutcome outcome = attempt(whole, place / "run");
    EXPECT_EQ(outcome.metrics.at("delta"), expected.metrics.at("delta"));
    EXPECT_EQ(read_file(place / "run" / "model" / "model.safetensors"),
              read_file(undisturbed / "run" / "model" / "model.safetensors"));
    ++stopped;
  }
  EXPECT_GE(stopped, 3);
  ::unsetenv("ATTUNE_CACHE");
}

}  // namespace
}  // namespace attune
