#include "attune/train/offline.h"

#include <cstdio>
#include <memory>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/train/checkpoint.h"
#include "attune/train/report.h"
#include "attune/train/stage_run.h"
#include "attune/train/stop.h"
#include "attune/train/training_state.h"

namespace attune {
namespace {

// Where the run goes on: the checkpoint that was asked for, or the newest whole one. Empty: at the beginning.
std::optional<Checkpoint> find_checkpoint(const RunDirectory& directory, const RunContext& context) {
  if (context.from) return load_checkpoint(directory.checkpoints(), *context.from);
  NewestCheckpoint newest = newest_checkpoint(directory.checkpoints());
  for (const auto& damaged : newest.damaged) log_warning("a damaged checkpoint is passed over: " + damaged);
  return std::move(newest.checkpoint);
}

Position start_position(const RunFile& run, RunDirectory& directory, const std::optional<Checkpoint>& checkpoint) {
  Position position;
  if (checkpoint) {
    position = position_of(*checkpoint);
    if (position.stage >= run.stages.size()) {
      throw ConfigError({.file = directory.path().string()},
                        "a checkpoint of stage " + std::to_string(position.stage + 1),
                        "one of the run file's " + std::to_string(run.stages.size()) + " stages");
    }
    log_info("going on after step " + std::to_string(position.total_step));
  }
  directory.forget_metrics_after(position.total_step - (position.unmeasured.is_null() ? 0 : 1));
  return position;
}

}  // namespace

RunOutcome run_offline(RunFile& run, RunDirectory& directory, const RunContext& context) {
  const StopSignals signals;
  std::optional<Checkpoint> checkpoint = find_checkpoint(directory, context);
  Position position = start_position(run, directory, checkpoint);
  // What is left of the run. Data of all stages first: their mistakes show before any weights are read.
  std::vector<std::unique_ptr<StageRun>> stages;
  for (std::size_t i = position.stage; i < run.stages.size(); ++i) {
    stages.push_back(std::make_unique<StageRun>(run, i, directory, context));
    stages.back()->read();
    if (stop_requested()) {
      directory.begin(run);  // so that it can be resumed
      throw Interrupted({.file = run.out}, "a request to stop while data was read", "",
                        "go on with 'attune resume " + run.out + "'");
    }
  }
  RunOutcome outcome;
  for (auto& stage : stages) {
    outcome = stage->train(position, checkpoint);
    stage.reset();
    checkpoint.reset();
    position = {.stage = position.stage + 1, .total_step = position.total_step, .tokens = position.tokens};
  }
  outcome.steps = position.total_step;
  if (context.trace) std::fprintf(stderr, "trace: write_report\n");
  write_report(directory, run, outcome);
  return outcome;
}

}  // namespace attune
