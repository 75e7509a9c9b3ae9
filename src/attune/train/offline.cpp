#include "attune/train/offline.h"

#include <sys/resource.h>

#include <cmath>
#include <cstdio>

#include "attune/base/clock.h"
#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/base/threads.h"
#include "attune/policy/language.h"
#include "attune/stats/agreement.h"
#include "attune/train/batches.h"
#include "attune/train/checkpoint.h"
#include "attune/train/micro_batches.h"
#include "attune/train/report.h"
#include "attune/train/samples.h"
#include "attune/train/schedule.h"
#include "attune/train/stage.h"
#include "attune/train/step.h"
#include "attune/train/stop.h"

namespace attune {
namespace {

constexpr int most_bad_steps = 3;  // in a row

// Where a run stands: what a checkpoint holds beside weights and moments.
struct Position {
  std::size_t stage = 0;
  std::int64_t step = 0;        // of the stage, done so far
  std::int64_t total_step = 0;  // of all stages
  std::int64_t tokens = 0;
  double best_loss = INFINITY;
};

void trace(const RunContext& context, const char* name) {
  if (context.trace) std::fprintf(stderr, "trace: %s\n", name);
}

std::int64_t peak_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

// One stage of a run, from its data to its saved model.
class StageRun {
 public:
  StageRun(RunFile& run, std::size_t index, RunDirectory& directory, const RunContext& context)
      : stage_(run.stages[index]),
        settings_(stage_.settings),
        single_(run.stages.size() == 1),
        directory_(directory),
        context_(context),
        previous_(index > 0 ? std::optional(directory.stage_model(run.stages[index - 1].name)) : std::nullopt) {}

  RunOutcome train(Position& position, const std::optional<Checkpoint>& checkpoint);

 private:
  void prepare();
  std::map<std::string, FrozenColumn> freeze_columns(std::span<const TokenRecord> records);
  void restore(const Checkpoint& checkpoint, const Position& position);
  void save(const Position& position);
  Json one_step(std::int64_t step, Position& position);
  void evaluate_into(Json& row, Position& position);
  Json facts(const Position& position) const;

  Stage& stage_;
  RunSettings& settings_;
  bool single_;
  RunDirectory& directory_;
  const RunContext& context_;
  std::optional<Path> previous_;  // the model that the stage before left

  Needs needs_;
  std::optional<Tokenizer> tokenizer_;
  StageData data_;
  std::optional<LanguageModel> model_;
  std::map<std::string, FrozenColumn> frozen_;
  std::shared_ptr<const LanguageModel> reference_;  // only where cached columns are not enough
  std::optional<LanguagePolicy> policy_, eval_policy_;
  std::optional<Batches> batches_;
  std::optional<Schedule> schedule_;
  std::optional<Step> step_;
  std::vector<Statistics> statistics_;
  int bad_steps_ = 0;
};

void StageRun::prepare() {
  const ObjectiveList& objectives = settings_.objective;
  needs_ = needs_of(objectives);
  trace(context_, "load_tokenizer");
  tokenizer_ = load_tokenizer(settings_);
  trace(context_, "read_dataset");
  trace(context_, "encode");
  data_ = load_stage_data(settings_, *tokenizer_, needs_.needs_model("reference"));
  trace(context_, "load_model");
  model_ = load_stage_model(settings_, previous_);
  model_->require_vocabulary(tokenizer_->vocabulary_size(), tokenizer_folder(settings_));
  // Columns that a cache cannot hold need the frozen model itself; with an adapter that is the model without it.
  const bool live = needs_.tokens || needs_.statistics || !needs_.vocabulary.empty();
  if (needs_.needs_model("reference") && live && model_->adapter() == nullptr) {
    reference_ = std::make_shared<const LanguageModel>(model_->frozen_copy());
  }
  trace(context_, "frozen_columns");
  frozen_ = freeze_columns(data_.train.records);
  data_.eval.frozen = freeze_columns(data_.eval.records);
  policy_.emplace(*model_, data_.train.records);
  eval_policy_.emplace(*model_, data_.eval.records);
  if (reference_) {
    policy_->freeze("reference", reference_);
    eval_policy_->freeze("reference", reference_);
  }
  batches_.emplace(data_.train.records, BatchOptions{.records = settings_.batch.records,
                                                     .tokens = settings_.batch.tokens,
                                                     .epochs = settings_.epochs,
                                                     .steps = settings_.steps,
                                                     .shuffle = settings_.data.shuffle,
                                                     .seed = static_cast<std::uint64_t>(settings_.seed)});
  schedule_.emplace(settings_.schedule, settings_.optimizer.learning_rate(), batches_->steps());
  step_.emplace(model_->trainable(), settings_.optimizer);
}

// At the start of a stage the model is its own reference.
std::map<std::string, FrozenColumn> StageRun::freeze_columns(std::span<const TokenRecord> records) {
  if (records.empty() || !needs_.needs_model("reference")) return {};
  LanguagePolicy policy(*model_, records);
  if (model_->adapter() == nullptr) policy.freeze("reference", {std::shared_ptr<void>(), &*model_});
  return {{"reference", frozen_column(context_.fs, policy, records,
                                      {.weights_hash = model_->content_hash(), .tokens = settings_.batch.tokens})}};
}

// What must be equal for a resumed run to go on bit by bit.
Json StageRun::facts(const Position& position) const {
  return Json::object({{"stage", stage_.name},
                       {"stage_step", position.step},
                       {"steps", batches_->steps()},
                       {"tokens", position.tokens},
                       {"best_loss", std::isfinite(position.best_loss) ? Json(position.best_loss) : Json()},
                       {"seed", settings_.seed},
                       {"threads", thread_count()},
                       {"data_hash", data_.hash},
                       {"optimizer_steps", step_->optimizer().steps()},
                       {"version", ATTUNE_VERSION}});
}

void StageRun::save(const Position& position) {
  CheckpointContent content{.state = Json::object({{"stage", static_cast<std::int64_t>(position.stage)}})};
  content.state.set("run", facts(position));
  content.tensors = {{"weights", model_->trainable().flat().detach()},
                     {"first_moment", step_->optimizer().first_moment()},
                     {"second_moment", step_->optimizer().second_moment()}};
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    for (const auto& [name, value] : statistics_[i].sums) {
      content.tensors.push_back({"statistics/" + std::to_string(i) + "/" + name, value});
    }
  }
  save_checkpoint(context_.fs, directory_.checkpoints(), position.total_step, content, settings_.keep_checkpoints);
}

void StageRun::restore(const Checkpoint& checkpoint, const Position& position) {
  const Json* saved = checkpoint.state.find("run");
  const Json now = facts(position);
  for (const char* key : {"stage", "steps", "seed", "threads", "data_hash", "version"}) {
    const Json* before = saved != nullptr ? saved->find(key) : nullptr;
    if (before == nullptr || *before != *now.find(key)) {
      throw ConfigError({.file = directory_.path().string(), .field = key},
                        now.find(key)->str() + ", other than the checkpoint's", before != nullptr ? before->str() : "a value",
                        "a resumed run goes on bit by bit only with the same data, seed, threads and build");
    }
  }
  const at::AutoGradMode no_gradient(false);
  const auto copy = [&](const char* name, const Tensor& into) {
    const Tensor from = checkpoint.tensor(name);
    if (from.sizes() != into.sizes() || from.scalar_type() != into.scalar_type()) {
      throw FormatError({.file = checkpoint.tensors->path().string()}, std::string("the tensor ") + name + " of another model");
    }
    Tensor(into).copy_(from);
  };
  copy("weights", model_->trainable().flat());
  copy("first_moment", step_->optimizer().first_moment());
  copy("second_moment", step_->optimizer().second_moment());
  step_->optimizer().set_steps(saved->find("optimizer_steps")->integer());
  statistics_.assign(settings_.objective.size(), {});
  for (const StoredTensor& stored : checkpoint.tensors->tensors()) {
    if (!stored.name.starts_with("statistics/")) continue;
    const std::size_t slash = stored.name.find('/', 11);
    const auto index = static_cast<std::size_t>(std::stoul(stored.name.substr(11, slash - 11)));
    statistics_.at(index).sums[stored.name.substr(slash + 1)] = checkpoint.tensor(stored.name);
  }
}

Json StageRun::one_step(std::int64_t step, Position& position) {
  const double start = now_seconds();
  const ObjectiveList& objectives = settings_.objective;
  const Progress progress{.fraction = static_cast<double>(step) / static_cast<double>(batches_->steps()),
                          .step = step,
                          .seed = static_cast<std::uint64_t>(settings_.seed)};
  const StepPlan plan = plan_step(batches_->at(step), objectives, data_.train.records, frozen_);
  statistics_ = gather_statistics(plan, objectives, needs_, *policy_, statistics_);
  Metrics metrics;
  for (const Batch& batch : plan.batches) {
    const Loss loss = compute(objectives, policy_->score(batch, needs_), statistics_, progress);
    step_->accumulate(total(loss, plan.counts));
    metrics.merge(loss.metrics);
  }
  const StepReport report = step_->apply(schedule_->at(step));
  bad_steps_ = report.applied ? 0 : bad_steps_ + 1;
  if (!report.applied) log_warning("step " + std::to_string(position.total_step + 1) + ": loss or gradient is not finite; not applied");
  position.tokens += plan.tokens;
  const double seconds = now_seconds() - start;
  Json row = Json::object({{"step", position.total_step + 1},
                           {"stage", stage_.name},
                           {"seconds", seconds},
                           {"loss", report.loss},
                           {"grad_norm", report.grad_norm},
                           {"learning_rate", report.learning_rate},
                           {"epoch", static_cast<double>(step + 1) / static_cast<double>(batches_->steps_per_epoch())},
                           {"num_tokens", position.tokens},
                           {"tokens_per_second", static_cast<double>(plan.tokens) / seconds},
                           {"fraction_of_limit", nullptr},
                           {"peak_bytes", peak_bytes()}});
  for (const auto& [name, value] : metrics.read()) row.set(name, value);
  return row;
}

void StageRun::evaluate_into(Json& row, Position& position) {
  if (!data_.eval.records.empty()) {
    for (const auto& [name, value] : evaluate(*eval_policy_, settings_.objective, data_.eval, settings_.batch.tokens)) {
      row.set("eval_" + name, value);
    }
    // Of the pairs whose order the model gets right, with the Wilson interval.
    if (const Json* accuracy = row.find("eval_rewards/accuracies"); accuracy != nullptr && accuracy->is_number()) {
      double pairs = 0;
      for (const TokenRecord& record : data_.eval.records) pairs += static_cast<double>(record.preferences.size());
      const Interval interval = wilson_interval(accuracy->number() * pairs, pairs);
      row.set("eval_pairs", pairs);
      row.set("eval_rewards/accuracies_low", interval.low);
      row.set("eval_rewards/accuracies_high", interval.high);
    }
    position.best_loss = std::min(position.best_loss, row.find("eval_loss")->number());
  }
  directory_.samples(position.total_step, write_samples(*model_, *tokenizer_, data_.prompts, settings_));
}

RunOutcome StageRun::train(Position& position, const std::optional<Checkpoint>& checkpoint) {
  prepare();
  if (checkpoint) restore(*checkpoint, position);
  directory_.log("stage", Json::object({{"name", stage_.name}, {"steps", batches_->steps()},
                                        {"records", data_.train.report.records}, {"parameters", model_->trainable().count()}}));
  log_info(stage_.name + ": " + std::to_string(data_.train.report.records) + " records, " +
           std::to_string(model_->trainable().count()) + " trainable parameters, " + std::to_string(batches_->steps()) + " steps");
  RunOutcome outcome;
  ProgressLine shown(stage_.name, static_cast<std::size_t>(batches_->steps()), "steps");
  while (position.step < batches_->steps()) {
    Json row = one_step(position.step, position);
    if (bad_steps_ >= most_bad_steps) {
      throw DataError({.file = directory_.path().string()}, "losses or gradients that are not finite, " + std::to_string(bad_steps_) + " steps in a row",
                      "finite ones", "lower the learning rate; the last good checkpoint is in checkpoints/");
    }
    ++position.step;
    ++position.total_step;
    const bool last = position.step == batches_->steps();
    const auto due = [&](int every) { return last || (every > 0 && position.step % every == 0); };
    if (due(settings_.eval_every)) evaluate_into(row, position);
    directory_.metrics(row);
    const bool stopping = stop_requested();
    if (due(settings_.save_every) || stopping) save(position);
    shown.advance(static_cast<std::size_t>(position.step), "loss " + format_double(std::round(1e4 * row.find("loss")->number()) / 1e4));
    if (last) {
      outcome.loss = row.find("loss")->number();
      for (const auto& [name, value] : row.members()) {
        if (value.is_number()) outcome.metrics[name] = value.number();
      }
    } else if (stopping) {
      throw Interrupted({.file = directory_.path().string()}, "a request to stop; the run is saved at step " + std::to_string(position.total_step),
                        "", "go on with 'attune resume " + directory_.path().string() + "'");
    }
  }
  trace(context_, "save_model");
  if (!single_) save_stage_model(context_.fs, *model_, settings_, directory_.stage_model(stage_.name));
  save_stage_model(context_.fs, *model_, settings_, directory_.model());
  return outcome;
}

}  // namespace

RunOutcome run_offline(RunFile& run, RunDirectory& directory, const RunContext& context) {
  const StopSignals signals;
  Position position;
  std::optional<Checkpoint> checkpoint;
  if (context.from) {
    checkpoint = load_checkpoint(directory.checkpoints(), *context.from);
  } else {
    NewestCheckpoint newest = newest_checkpoint(directory.checkpoints());
    for (const auto& damaged : newest.damaged) log_warning("a damaged checkpoint is passed over: " + damaged);
    checkpoint = std::move(newest.checkpoint);
  }
  if (checkpoint) {
    const Json& saved = *checkpoint->state.find("run");
    position.stage = static_cast<std::size_t>(checkpoint->state.find("stage")->integer());
    position.step = saved.find("stage_step")->integer();
    position.tokens = saved.find("tokens")->integer();
    if (const Json* best = saved.find("best_loss"); best->is_number()) position.best_loss = best->number();
    position.total_step = checkpoint->step;
    log_info("going on after step " + std::to_string(position.total_step));
  }
  directory.forget_metrics_after(position.total_step);
  RunOutcome outcome;
  for (; position.stage < run.stages.size(); ++position.stage, position.step = 0, position.best_loss = INFINITY) {
    outcome = StageRun(run, position.stage, directory, context).train(position, checkpoint);
    checkpoint.reset();
  }
  outcome.steps = position.total_step;
  trace(context, "write_report");
  write_report(directory, run, outcome);
  return outcome;
}

}  // namespace attune
