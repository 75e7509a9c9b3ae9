// One stage of a run: an objective on its data, from records to a saved model.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "attune/policy/language.h"
#include "attune/train/batches.h"
#include "attune/train/limits.h"
#include "attune/train/monitor.h"
#include "attune/train/offline.h"
#include "attune/train/reference.h"
#include "attune/train/schedule.h"
#include "attune/train/stage.h"
#include "attune/train/step.h"
#include "attune/train/training_state.h"

namespace attune {

class StageRun {
 public:
  // All arguments must outlive this.
  StageRun(RunFile& run, std::size_t index, RunDirectory& directory, const RunContext& context);

  // Reads and checks everything that is cheap beside the weights: device, model configuration, tokenizer, data. Throws
  // DeviceError, MissingInput, FormatError, DataError, ConfigError.
  void read();

  // Loads the model and trains, from the checkpoint where there is one of this stage. Moves `position` along. Throws
  // Interrupted after saving when a signal asked for it, DataError when losses stay non-finite.
  RunOutcome train(Position& position, const std::optional<Checkpoint>& checkpoint);

 private:
  void load_model();
  void fit_into_memory();
  void freeze_models();
  std::shared_ptr<const LanguageModel> frozen_model(const std::string& role) const;
  FrozenColumns frozen_columns_of(const std::string& role, const std::shared_ptr<const LanguageModel>& model,
                                  std::span<const TokenRecord> records, std::span<const std::int64_t> probe_prompts);
  TrainingState state();
  Json facts() const;
  void save(const Position& position);
  [[noreturn]] void stop(const Position& position);
  std::optional<Json> one_step(const Position& position);
  Json row_of(const StepReport& report, const Position& position, double seconds, const StepPlan& plan) const;
  void check_applied(const StepReport& report, const Position& position);
  void measure(Json& row, Position& position);
  void watch(const Position& position);
  void finish_step(Json row, Position& position);
  void save_models();
  void trace(const char* name) const;
  bool last() const { return index_ + 1 == run_.stages.size(); }

  RunFile& run_;
  std::size_t index_;
  Stage& stage_;
  RunSettings& settings_;
  RunDirectory& directory_;
  const RunContext& context_;
  std::optional<Path> previous_;  // the model that the stage before left
  at::Device device_ = at::kCPU;

  Needs needs_;
  std::optional<Tokenizer> tokenizer_;
  StageData data_;
  std::optional<LanguageModel> model_;
  std::string start_hash_;  // of the weights before training
  std::map<std::string, FrozenColumns> frozen_;
  std::vector<std::int64_t> probe_prompts_;  // of each training record; empty: no objective wants any
  std::optional<Reference> reference_;       // where cached columns are not enough
  std::optional<LanguagePolicy> policy_, eval_policy_;
  std::optional<Batches> batches_;
  std::optional<Schedule> schedule_;
  Ceilings ceilings_;
  std::optional<Step> step_;
  std::optional<Monitor> monitor_;
  std::vector<Statistics> statistics_;
  bool improved_ = false;         // the step's evaluation is the best of the stage
  std::int64_t saved_step_ = -1;  // of the newest checkpoint, -1: none yet
  int bad_steps_ = 0;             // in a row
};

}  // namespace attune
