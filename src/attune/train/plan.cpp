#include "attune/train/plan.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "attune/base/clock.h"
#include "attune/base/machine.h"
#include "attune/policy/language.h"
#include "attune/tensor/device.h"
#include "attune/tensor/products.h"
#include "attune/train/limits.h"
#include "attune/train/memory.h"
#include "attune/train/reference.h"
#include "attune/train/stage.h"
#include "attune/train/step.h"

namespace attune {
namespace {

constexpr std::int64_t most_blocks = 7;  // of the larger probe: a difference of six is above the clock's noise
constexpr std::int64_t timed_steps = 3;

// What one probe measured; all of it grows by the same amount with every block.
struct Measured {
  double parameters = 0, trainable = 0, bytes = 0, seconds = 0, limit = 0;

  static Measured at(double blocks, const Measured& few, double few_blocks, const Measured& many, double many_blocks) {
    const double share = many_blocks > few_blocks ? (blocks - few_blocks) / (many_blocks - few_blocks) : 0;
    const auto line = [&](double a, double b) { return a + share * (b - a); };
    return {line(few.parameters, many.parameters), line(few.trainable, many.trainable), line(few.bytes, many.bytes),
            line(few.seconds, many.seconds), line(few.limit, many.limit)};
  }
};

class Probes {
 public:
  Probes(const RunSettings& settings, Fs& fs)
      : settings_(settings),
        tokenizer_(load_tokenizer(settings)),
        needs_(needs_of(settings.objective)),
        config_(stage_config(settings, needs_)),
        device_(device_of(settings)),
        ceilings_(machine_ceilings(fs, operands_of(settings))),
        recompute_(settings.model.recompute == Recompute::on) {
    require_vocabulary(config_, tokenizer_.vocabulary_size(), tokenizer_folder(settings));
    data_ = load_stage_data(settings, tokenizer_);
    if (needs_.probes) probe_prompts_ = probe_prompts(data_.train, settings.batch.records);
    batches_ = std::make_unique<Batches>(data_.train, batch_options(settings));
    if (settings.optimizer.in_backward) require_whole_steps(*batches_);
    assume_frozen_columns();
    for (std::int64_t step = 0; step < batches_->steps(); ++step) look_at(step);
  }

  std::int64_t layers() const { return config_.layers; }
  std::int64_t steps() const { return batches_->steps(); }
  double mean_tokens() const { return tokens_ / static_cast<double>(steps()); }
  double mean_of(double timed) const {  // of something that grows as the tokens do, from its mean over the timed steps
    return timed * mean_tokens() / timed_tokens_;
  }

  // Of the whole model, from what the probes said of its few blocks.
  Measured measure() {
    const std::int64_t few = layers() <= most_blocks ? layers() : 1, many = std::min(layers(), most_blocks);
    const Measured small = measure(few), large = many > few ? measure(many) : small;
    return Measured::at(static_cast<double>(layers()), small, double(few), large, double(many));
  }

  // Whether training would compute blocks again, as it would decide; then later probes do.
  bool decide(const Measured& whole) {
    const ParameterCounts counts{
        .all = whole.parameters,
        .trained = whole.trainable,
        .frozen_copies = whole.parameters * static_cast<double>(frozen_copies(settings_, needs_))};
    const std::int64_t tokens = largest_micro_batch(*batches_, data_.train);
    recompute_ = recompute_blocks(settings_, config_, counts, tokens);
    return recompute_;
  }

 private:
  Measured measure(std::int64_t blocks) {
    const UseBfloat16Products precision(settings_.model.dtype == Dtype::bfloat16);
    release_cached_memory(device_);
    const double before = tensor_memory(device_).current;
    reset_tensor_peak(device_);
    ModelConfig config = config_;
    config.layers = blocks;
    config.windows.resize(static_cast<std::size_t>(blocks));
    LanguageModel model = LanguageModel::random(config, 0, tensors_of(settings_));
    prepare_model(settings_, model);
    model.set_compute(compute_options(settings_, recompute_));
    if (!needs_.heads.empty()) model.attach_heads(needs_.heads, 0);
    LanguagePolicy policy(model, data_.train);
    freeze(model, policy);
    std::vector<Parameters*> trained{&model.trainable()};
    if (model.heads() != nullptr) trained.push_back(&model.heads()->parameters());
    Step step(trained, settings_.optimizer);
    run(largest_, policy, step);  // new memory; the peak
    Measured measured;
    for (const std::int64_t index : timed_) {
      measured.seconds += std::min(run(index, policy, step), run(index, policy, step)) / double(timed_.size());
      measured.limit += limit_seconds(model, plan_of(index), data_.train, ceilings_) / double(timed_.size());
    }
    measured.parameters = static_cast<double>(model.parameters().count());
    if (model.adapter() != nullptr) measured.parameters += static_cast<double>(model.trainable().count());
    for (const Parameters* one : trained) measured.trainable += static_cast<double>(one->count());
    measured.bytes = tensor_memory(device_).peak - before;
    return measured;
  }

  StepPlan plan_of(std::int64_t step) const {
    return plan_step(batches_->at(step), settings_.objective,
                     {.records = data_.train, .probe_prompts = probe_prompts_, .frozen = frozen_});
  }

  // The largest step, steps that stand evenly over the run, and how many tokens there are.
  void look_at(std::int64_t step) {
    const auto tokens = static_cast<double>(plan_of(step).tokens);
    tokens_ += tokens;
    if (tokens > most_tokens_) {
      most_tokens_ = tokens;
      largest_ = step;
    }
    const std::int64_t count = std::min(timed_steps, steps());
    for (std::int64_t i = 0; i < count; ++i) {
      if (step != (2 * i + 1) * steps() / (2 * count)) continue;
      timed_.push_back(step);
      timed_tokens_ += tokens / static_cast<double>(count);
    }
  }

  // Columns that training computes beforehand are zeros here: steps look them up either way.
  void assume_frozen_columns() {
    for (const std::string& role : needs_.frozen_models()) {
      if (frozen_use(settings_, needs_, role) != FrozenUse::column) continue;
      FrozenColumn zeros;
      for (const TokenRecord& record : data_.train) zeros.emplace_back(record.completions.size(), 0.0);
      frozen_[role] = {.answers = zeros, .probes = probe_prompts_.empty() ? FrozenColumn{} : zeros};
    }
  }

  // Frozen models that are run in every step: the policy itself where that is the reference, else copies.
  void freeze(LanguageModel& model, LanguagePolicy& policy) const {
    for (const std::string& role : needs_.frozen_models()) {
      const FrozenUse use = frozen_use(settings_, needs_, role);
      if (use == FrozenUse::copy) policy.freeze(role, std::make_shared<const LanguageModel>(model.frozen_copy()));
      if (use == FrozenUse::policy && settings_.reference.mode == ReferenceMode::live) {
        policy.freeze(role, {std::shared_ptr<void>(), &model});
      }
    }
  }

  // One optimiser step at a learning rate of 0, in seconds.
  double run(std::int64_t index, LanguagePolicy& policy, Step& step) const {
    const double start = now_seconds();
    const StepPlan plan = plan_of(index);
    const auto statistics = gather_statistics(plan, settings_.objective, needs_, policy, {});
    step.begin(0);
    for (const Batch& batch : plan.batches) {
      step.accumulate(total(compute(settings_.objective, policy.score(batch, needs_), statistics, {}), plan.counts));
    }
    step.apply();
    synchronise(device_);
    return now_seconds() - start;
  }

  const RunSettings& settings_;
  Tokenizer tokenizer_;
  Needs needs_;
  ModelConfig config_;
  at::Device device_;
  Ceilings ceilings_;
  StageData data_;
  std::vector<std::int64_t> probe_prompts_;
  std::unique_ptr<Batches> batches_;
  std::map<std::string, FrozenColumns> frozen_;
  bool recompute_ = false;
  double tokens_ = 0, timed_tokens_ = 0, most_tokens_ = -1;
  std::int64_t largest_ = 0;
  std::vector<std::int64_t> timed_;
};

}  // namespace

StagePlan plan_stage(const RunSettings& settings, Fs& fs) {
  const double usable = usable_bytes(settings);
  Probes probes(settings, fs);
  const at::Device device = device_of(settings);
  release_cached_memory(device);
  // What is held beside tensors: a GPU has nothing else that counts.
  const double resident = device.is_cpu() ? resident_bytes() - tensor_memory(device).current : 0;
  Measured whole = probes.measure();
  const bool recompute = probes.decide(whole);
  if (recompute && settings.model.recompute == Recompute::automatic) whole = probes.measure();
  StagePlan plan{.parameters = std::llround(whole.parameters),
                 .trainable = std::llround(whole.trainable),
                 .steps = probes.steps(),
                 .peak_bytes = resident + whole.bytes,
                 .step_seconds = probes.mean_of(whole.seconds),
                 .limit_seconds = probes.mean_of(whole.limit),
                 .available_bytes = usable,
                 .recompute = recompute};
  plan.tokens_per_second = probes.mean_tokens() / plan.step_seconds;
  return plan;
}

}  // namespace attune
