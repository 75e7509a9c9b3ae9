#include "attune/train/stage_run.h"

#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "attune/base/clock.h"
#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/base/log.h"
#include "attune/base/threads.h"
#include "attune/reports/metrics.h"
#include "attune/stats/agreement.h"
#include "attune/tensor/device.h"
#include "attune/tensor/products.h"
#include "attune/train/memory.h"
#include "attune/train/micro_batches.h"
#include "attune/train/samples.h"
#include "attune/train/step_profile.h"
#include "attune/train/stop.h"

namespace attune {
namespace {

constexpr int most_bad_steps = 3;  // in a row

// Of the process, or of its tensors on a GPU.
std::int64_t peak_bytes(at::Device device) {
  if (!device.is_cpu()) return std::llround(tensor_memory(device).peak);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

RunOutcome outcome_of(const Json& row) {
  RunOutcome outcome{.loss = std::numeric_limits<double>::quiet_NaN()};
  if (!row.is_object()) return outcome;
  for (const auto& [name, value] : row.members()) {
    if (value.is_number()) outcome.metrics[name] = value.number();
  }
  if (const auto loss = outcome.metrics.find("loss"); loss != outcome.metrics.end()) outcome.loss = loss->second;
  return outcome;
}

// Of the share of evaluation comparisons whose order the model gets right, the Wilson interval. Votes on the same
// answers depend on each other, so what counts as drawn is the record that holds them, however many voted.
void set_accuracy_interval(Json& row, std::span<const TokenRecord> records) {
  const Json* accuracy = row.find("eval_rewards/accuracies");
  if (accuracy == nullptr || !accuracy->is_number()) return;
  double pairs = 0;
  for (const TokenRecord& record : records) pairs += record.preferences.empty() ? 0 : 1;
  const Interval interval = wilson_interval(accuracy->number() * pairs, pairs);
  row.set("eval_pairs", pairs);
  row.set("eval_rewards/accuracies_low", interval.low);
  row.set("eval_rewards/accuracies_high", interval.high);
}

// Weights alone do not say what a model computes: the same bytes under another rope_theta are another model.
std::string hash_of(const LanguageModel& model) { return hash_hex(model.content_hash() + model.config().source.str()); }

bool due(int every, std::int64_t step, std::int64_t steps) { return step == steps || (every > 0 && step % every == 0); }

}  // namespace

StageRun::StageRun(RunFile& run, std::size_t index, RunDirectory& directory, const RunContext& context)
    : run_(run),
      index_(index),
      stage_(run.stages[index]),
      settings_(stage_.settings),
      directory_(directory),
      context_(context),
      previous_(index > 0 ? std::optional(directory.stage_model(run.stages[index - 1].name)) : std::nullopt),
      needs_(needs_of(settings_.objective)),
      statistics_(settings_.objective.size()) {}

void StageRun::trace(const char* name) const {
  if (context_.trace) std::fprintf(stderr, "trace: %s\n", name);
}

void StageRun::read() {
  device_ = device_of(settings_);
  trace("read_config");
  const ModelSettings& model = settings_.model;
  const ModelConfig config = read_model_config(model.path.empty() ? model.config : model.path);
  trace("load_tokenizer");
  tokenizer_ = load_tokenizer(settings_);
  require_vocabulary(config, tokenizer_->vocabulary_size(), tokenizer_folder(settings_));
  trace("read_dataset");
  data_ = load_stage_data(settings_, *tokenizer_);
  batches_.emplace(data_.train, batch_options(settings_));
  if (settings_.optimizer.in_backward) require_whole_steps(*batches_);
}

void StageRun::load_model() {
  trace("load_model");
  model_ = load_stage_model(settings_, previous_, needs_);
  start_hash_ = hash_of(*model_);
  if (model_->config().experts.balance > 0) {
    log_warning("output_router_logits: the load-balancing loss of the experts is not trained, only the objective is");
  }
  fit_into_memory();
  ceilings_ = machine_ceilings(context_.fs, operands_of(settings_));
  schedule_.emplace(settings_.schedule, settings_.optimizer.adamw.lr, batches_->steps());
}

// Whether blocks keep their activations, which only the shapes of the steps can tell.
void StageRun::fit_into_memory() {
  const double all = static_cast<double>(model_->parameters().count());
  double trained = static_cast<double>(model_->trainable().count());
  if (model_->heads() != nullptr) trained += static_cast<double>(model_->heads()->parameters().count());
  const ParameterCounts counts{.all = model_->adapter() == nullptr ? all : all + trained,
                               .trained = trained,
                               .frozen_copies = all * static_cast<double>(frozen_copies(settings_, needs_))};
  const std::int64_t tokens = largest_micro_batch(*batches_, data_.train);
  const bool recompute = recompute_blocks(settings_, model_->config(), counts, tokens);
  model_->set_compute(compute_options(settings_, recompute));
  if (recompute && settings_.model.recompute == Recompute::automatic) {
    log_info(stage_.name + ": blocks are computed again in the backward pass, else a step would not fit into memory");
  }
}

// nullptr: the policy without its adapter.
std::shared_ptr<const LanguageModel> StageRun::frozen_model(const std::string& role) const {
  const bool is_reference = role == "reference";
  if (is_reference && reference_) return reference_->model();
  const std::string path = is_reference ? settings_.reference.model : settings_.models.of(role);
  if (!path.empty()) {
    return std::make_shared<const LanguageModel>(
        LanguageModel::load(path, {.dtype = model_->dtype(), .device = device_}));
  }
  if (model_->adapter() != nullptr) return nullptr;
  return {std::shared_ptr<void>(), &*model_};  // only before the first step
}

// Where sums are all that is wanted of a model that does not move, they are computed once and the model is let go.
void StageRun::freeze_models() {
  policy_.emplace(*model_, data_.train);
  if (needs_.probes) {
    probe_prompts_ = probe_prompts(data_.train, settings_.batch.records);
    data_.eval.probe_prompts = probe_prompts(data_.eval.records, settings_.batch.records);
  }
  eval_policy_.emplace(*model_, data_.eval.records);
  for (const std::string& role : needs_.frozen_models()) {
    const bool kept = frozen_use(settings_, needs_, role) != FrozenUse::column;
    if (role == "reference" && kept) {
      reference_.emplace(*model_, settings_.reference, rounds_of(settings_.objective), batches_->steps());
    }
    const auto model = frozen_model(role);
    if (kept && model != nullptr) {
      policy_->freeze(role, model);
      eval_policy_->freeze(role, model);
    }
    if (kept) continue;
    trace("frozen_columns");
    frozen_[role] = frozen_columns_of(role, model, data_.train, probe_prompts_);
    data_.eval.frozen[role] = frozen_columns_of(role, model, data_.eval.records, data_.eval.probe_prompts);
  }
}

FrozenColumns StageRun::frozen_columns_of(const std::string& role, const std::shared_ptr<const LanguageModel>& model,
                                          std::span<const TokenRecord> records,
                                          std::span<const std::int64_t> probe_prompts) {
  if (records.empty()) return {};
  LanguagePolicy policy(*model_, records);
  if (model != nullptr) policy.freeze(role, model);
  const bool own = model == nullptr || model.get() == &*model_;
  FrozenOptions options{
      .role = role, .weights_hash = own ? start_hash_ : hash_of(*model), .tokens = settings_.batch.tokens};
  FrozenColumns columns{.answers = frozen_column(context_.fs, policy, records, options)};
  options.probe_prompts = probe_prompts;
  if (!probe_prompts.empty()) columns.probes = frozen_column(context_.fs, policy, records, options);
  return columns;
}

TrainingState StageRun::state() {
  return {step_->parameters(), step_->optimizers(), statistics_,
          reference_ ? reference_->state() : std::vector<NamedTensor>()};
}

Json StageRun::facts() const {
  return Json::object({{"stage", stage_.name},
                       {"steps", batches_->steps()},
                       {"seed", settings_.seed},
                       {"threads", thread_count()},
                       {"device", c10::DeviceTypeName(device_.type(), true)},
                       {"data_hash", data_.hash},
                       {"model_hash", start_hash_},
                       {"version", ATTUNE_VERSION}});
}

void StageRun::save(const Position& position) {
  if (saved_step_ == position.total_step) return;
  directory_.sync_metrics();  // a checkpoint never knows of steps that the metrics have lost
  save_checkpoint(context_.fs, directory_.checkpoints(), position.total_step, to_checkpoint(position, facts(), state()),
                  settings_.keep_checkpoints);
  saved_step_ = position.total_step;
}

void StageRun::stop(const Position& position) {
  if (position.step > 0) save(position);  // else the stage starts anew, from what the one before it saved
  throw Interrupted({.file = directory_.path().string()},
                    "a request to stop; the run is saved at step " + std::to_string(position.total_step), "",
                    "go on with 'attune resume " + directory_.path().string() + "'");
}

// The row of metrics; nothing when a stop was asked for half-way. Then nothing has changed, and the step is made again.
std::optional<Json> StageRun::one_step(const Position& position) {
  const double start = now_seconds();
  const ObjectiveList& objectives = settings_.objective;
  const Progress progress{.fraction = static_cast<double>(position.step) / static_cast<double>(batches_->steps()),
                          .step = position.step,
                          .seed = static_cast<std::uint64_t>(settings_.seed)};
  const StepPlan plan = plan_step(batches_->at(position.step), objectives,
                                  {.records = data_.train, .probe_prompts = probe_prompts_, .frozen = frozen_});
  auto statistics = gather_statistics(plan, objectives, needs_, *policy_, statistics_);
  Metrics metrics;
  step_->begin(schedule_->at(position.step));
  for (const Batch& batch : plan.batches) {
    if (stop_requested()) {
      step_->abandon();
      return std::nullopt;
    }
    const Loss loss = compute(objectives, policy_->score(batch, needs_), statistics, progress);
    step_->accumulate(total(loss, plan.counts));
    metrics.merge(loss.metrics);
  }
  statistics_ = std::move(statistics);
  const StepReport report = step_->apply();
  if (reference_) reference_->after_step(position.step + 1);
  check_applied(report, position);
  synchronise(device_);
  Json row = row_of(report, position, now_seconds() - start, plan);
  for (const auto& [name, value] : metrics.read()) row.set(name, value);
  return row;
}

void StageRun::check_applied(const StepReport& report, const Position& position) {
  bad_steps_ = report.applied ? 0 : bad_steps_ + 1;
  if (report.applied) return;
  log_warning("step " + std::to_string(position.total_step + 1) + ": loss or gradient is not finite; not applied");
  if (bad_steps_ < most_bad_steps) return;
  throw DataError(
      {.file = directory_.path().string()},
      "losses or gradients that are not finite, " + std::to_string(bad_steps_) + " steps in a row", "finite ones",
      saved_step_ >= 0 ? "lower the learning rate; the last checkpoint is of step " + std::to_string(saved_step_)
                       : "lower the learning rate");
}

Json StageRun::row_of(const StepReport& report, const Position& position, double seconds, const StepPlan& plan) const {
  return Json::object(
      {{"step", position.total_step + 1},
       {"stage", stage_.name},
       {"seconds", seconds},
       {"loss", report.loss},
       {"grad_norm", report.grad_norm},
       {"learning_rate", report.learning_rate},
       {"epoch", static_cast<double>(position.step + 1) / static_cast<double>(batches_->steps_per_epoch())},
       {"num_tokens", position.tokens + plan.tokens},
       {"tokens_per_second", static_cast<double>(plan.tokens) / seconds},
       {"fraction_of_limit", limit_seconds(*model_, plan, data_.train, ceilings_) / seconds},
       {"peak_bytes", peak_bytes(device_)}});
}

// Evaluates the step that was just made, whose row is completed. A stop that comes meanwhile keeps the row for later.
void StageRun::measure(Json& row, Position& position) {
  position.unmeasured = row;
  if (stop_requested()) stop(position);
  if (!data_.eval.records.empty()) {
    const auto values = evaluate(*eval_policy_, settings_.objective, data_.eval, settings_.batch.tokens);
    if (!values) stop(position);
    for (const auto& [name, value] : *values) row.set("eval_" + name, value);
    set_accuracy_interval(row, data_.eval.records);
    const double loss = values->at("loss");
    improved_ = loss < position.best_loss;
    if (improved_) position.best_loss = loss;
  }
  if (!needs_.reward) {
    directory_.samples(position.total_step, write_samples(*model_, *tokenizer_, data_.prompts, settings_));
  }
  position.unmeasured = {};
}

// Sets up what the run watches of itself, with the curve so far where it goes on.
void StageRun::watch(const Position& position) {
  const auto& records = data_.eval.records.empty() ? data_.train : data_.eval.records;
  double tokens = 0;
  for (const TokenRecord& record : data_.train) tokens += static_cast<double>(record.tokens());
  const double step_tokens = tokens * settings_.batch.records / static_cast<double>(data_.train.size());
  const MonitorPlan plan =
      plan_monitor(settings_.monitor, records, {.step_tokens = step_tokens, .steps = batches_->steps()});
  monitor_.emplace(settings_.monitor, plan, records, stage_.name);
  if (position.step > 0) monitor_->recall(read_appended_rows(directory_.path() / "metrics.jsonl"));
  if (!position.unmeasured.is_null()) monitor_->recall({&position.unmeasured, 1});
}

// Everything after the update of a step: evaluation, its line of metrics, its checkpoint. `position` is behind it.
void StageRun::finish_step(Json row, Position& position) {
  improved_ = false;
  if (due(settings_.eval_every, position.step, batches_->steps())) measure(row, position);
  directory_.metrics(row);
  if (improved_ || due(settings_.save_every, position.step, batches_->steps())) save(position);
  if (improved_) link_best(context_.fs, directory_.checkpoints(), position.total_step);
  if (stop_requested() && position.step < batches_->steps()) stop(position);
}

void StageRun::save_models() {
  trace("save_model");
  if (last()) {
    save_stage_model(context_.fs, *model_, settings_, directory_.model(), previous_.value_or(settings_.model.path));
  } else {
    if (model_->adapter() != nullptr) model_->merge_adapter();  // the next stage starts a fresh one on these weights
    save_stage_model(context_.fs, *model_, settings_, directory_.stage_model(stage_.name), {});
  }
}

RunOutcome StageRun::train(Position& position, const std::optional<Checkpoint>& checkpoint) {
  const UseBfloat16Products precision(settings_.model.dtype == Dtype::bfloat16);
  load_model();
  directory_.begin(run_);
  freeze_models();
  std::vector<Parameters*> trained = {&model_->trainable()};
  if (model_->heads() != nullptr) trained.push_back(&model_->heads()->parameters());
  step_.emplace(std::move(trained), settings_.optimizer);
  if (settings_.model.adapter) step_->set_rate_ratio(model_->trainable(), settings_.model.adapter->rate_ratio);
  if (checkpoint) {
    restore(*checkpoint, facts(), state());
    saved_step_ = checkpoint->step;
  }
  directory_.log("stage", Json::object({{"name", stage_.name},
                                        {"steps", batches_->steps()},
                                        {"records", std::ssize(data_.train)},
                                        {"parameters", model_->trainable().count()}}));
  log_info(stage_.name + " on " + device_.str() + ": " + std::to_string(std::ssize(data_.train)) + " records, " +
           std::to_string(model_->trainable().count()) + " trainable parameters, " + std::to_string(batches_->steps()) +
           " steps");
  if (!needs_.reward) watch(position);
  if (!position.unmeasured.is_null()) finish_step(Json(position.unmeasured), position);
  std::optional<StepProfile> profile;
  if (context_.profile) profile.emplace();
  ProgressLine shown(stage_.name, static_cast<std::size_t>(batches_->steps()), "steps");
  while (position.step < batches_->steps()) {
    std::optional<Json> row = one_step(position);
    if (!row) stop(position);
    ++position.step;
    ++position.total_step;
    position.tokens = row->find("num_tokens")->integer();
    const double loss = row->find("loss")->number();
    if (profile) profile->step(row->find("seconds")->number());
    if (monitor_) monitor_->after_step(*model_, position.step, *row);
    finish_step(*std::move(row), position);
    shown.advance(static_cast<std::size_t>(position.step), "loss " + format_double(std::round(1e4 * loss) / 1e4));
  }
  if (profile) directory_.profile(profile->json());
  save_models();
  return outcome_of(directory_.last_metrics());
}

}  // namespace attune
