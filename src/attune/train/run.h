// The run file of a training run, as typed settings. All configuration errors end in load_run().
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/config/node.h"
#include "attune/data/read.h"
#include "attune/model/adapter.h"
#include "attune/objectives/objective.h"
#include "attune/tensor/moments.h"
#include "attune/train/context.h"

namespace attune {

struct AdapterSettings {
  int rank = 16;
  double alpha = 32;
  std::vector<std::string> targets = {"all-linear"};
  std::vector<std::string> modules_to_save = {};  // a reward model's score head is always one
  bool rslora = false;
  bool dora = false;
  AdapterStart init = AdapterStart::kaiming;
  double rate_ratio = 1;  // learning rate of B over that of A (Hayou et al. 2024, "LoRA+")
  void describe(Fields& fields);
};

enum class Recompute { automatic, on, off };
enum class Init { pretrained, random };
enum class Dtype { float32, float64, bfloat16 };
enum class ReferenceMode { frozen, previous_stage, live };
enum class Decay { constant, linear, cosine };

constexpr auto enum_names(AdapterStart) {
  return std::array{std::pair{std::string_view("kaiming"), AdapterStart::kaiming},
                    std::pair{std::string_view("gaussian"), AdapterStart::gaussian},
                    std::pair{std::string_view("pissa"), AdapterStart::principal}};
}
constexpr auto enum_names(Init) {
  return std::array{std::pair{std::string_view("pretrained"), Init::pretrained},
                    std::pair{std::string_view("random"), Init::random}};
}
constexpr auto enum_names(Recompute) {
  return std::array{std::pair{std::string_view("auto"), Recompute::automatic},
                    std::pair{std::string_view("true"), Recompute::on},
                    std::pair{std::string_view("false"), Recompute::off}};
}
constexpr auto enum_names(Dtype) {
  return std::array{std::pair{std::string_view("float32"), Dtype::float32},
                    std::pair{std::string_view("float64"), Dtype::float64},
                    std::pair{std::string_view("bfloat16"), Dtype::bfloat16}};
}
constexpr auto enum_names(ReferenceMode) {
  return std::array{std::pair{std::string_view("frozen"), ReferenceMode::frozen},
                    std::pair{std::string_view("previous_stage"), ReferenceMode::previous_stage},
                    std::pair{std::string_view("live"), ReferenceMode::live}};
}
constexpr auto enum_names(MomentPrecision) {
  return std::array{std::pair{std::string_view("full"), MomentPrecision::full},
                    std::pair{std::string_view("bfloat16"), MomentPrecision::bfloat16},
                    std::pair{std::string_view("int8"), MomentPrecision::int8}};
}
constexpr auto enum_names(Decay) {
  return std::array{std::pair{std::string_view("constant"), Decay::constant},
                    std::pair{std::string_view("linear"), Decay::linear},
                    std::pair{std::string_view("cosine"), Decay::cosine}};
}

struct ModelSettings {
  std::string path = {};    // a Hugging Face model folder
  std::string config = {};  // or a config.json, from scratch
  Init init = Init::pretrained;
  Dtype dtype = Dtype::float32;  // bfloat16: of the operands of matrix products alone (tensor/products.h)
  std::string device = "auto";   // a device name (tensor/device.h)
  std::optional<AdapterSettings> adapter = {};
  bool allow_nonfinite = false;
  Recompute recompute = Recompute::automatic;  // blocks again in the backward pass: less memory, a third more time
  double head_cache_gib = 1;                   // logits kept for the backward pass while they fit
  void describe(Fields& fields);
};

struct DataSettings {
  std::vector<DataPart> train = {}, eval = {};
  std::string chat_template = {};  // a Jinja file; the tokenizer's own unless named
  int max_tokens = 1024;           // of prompt and completion together
  double held_out = 0;             // share of the training prompts kept apart as evaluation data, where eval is empty
  double flip = 0;                 // share of training comparisons turned around: a control, or label noise
  std::string attribute = {};      // the rating that becomes an answer's score; "score", else the data's first
  ContextUse context = ContextUse::ignore;  // of records that have one: a criterion, a situation, retrieved text
  int degrees = 0;                          // graded variants of each compared answer, by taking content away
  bool shuffle = true;
  OnBadRow on_bad_row = OnBadRow::refuse;
  void describe(Fields& fields);
};

// What "reference" means to the objectives of a stage: the model that the stage starts from (that is what the stage
// before left), unless a folder is named; and how it moves.
struct ReferenceSettings {
  // Bias-corrected moving average of the policy's weights.
  struct Bema {
    double lag = 10;
    double ema_power = 0.5, bias_power = 0.2;
    void describe(Fields& fields);
  };
  ReferenceMode mode = ReferenceMode::frozen;
  std::string model = {};
  int every = 0;   // steps between moves; 0: never
  double mix = 1;  // reference <- (1 - mix) reference + mix policy
  std::optional<Bema> bema = {};
  void describe(Fields& fields);
};

// Other frozen models, by the role that objectives give them: Hugging Face folders.
struct FrozenModelSettings {
  std::string teacher = {}, dpo = {}, reverse = {};
  std::string of(std::string_view role) const;  // empty where none is named
  void describe(Fields& fields);
};

struct OptimizerSettings {
  struct AdamW {
    double lr = 1e-6;
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = 0;
    void describe(Fields& fields);
  };
  AdamW adamw = {};          // `optimizer.lr` is short for `optimizer.adamw.lr`
  double max_grad_norm = 1;  // 0: no clipping
  MomentPrecision moments = MomentPrecision::full;
  bool in_backward = false;  // each matrix is updated as soon as its gradient is known, and no gradient is kept
  void describe(Fields& fields);
};

struct ScheduleSettings {
  double warmup = 0;  // below 1: a share of all steps; else steps
  Decay decay = Decay::linear;
  double floor = 0;  // share of the peak that decay ends at
  void describe(Fields& fields);
};

struct BatchSettings {
  int records = 32;   // per optimiser step
  int tokens = 8192;  // per micro-batch
  void describe(Fields& fields);
};

struct SampleSettings {
  int prompts = 4;  // of the evaluation data (else training data), sampled at each evaluation
  int max_tokens = 64;
  void describe(Fields& fields);
};

// What a run of pairs watches of itself, on a few fixed comparisons.
struct MonitorSettings {
  bool over_optimisation = true;
  int every = 0;    // steps; 0: as the cost allows
  int records = 0;  // 0: as the cost allows
  int k = 10;
  int patience = 2, decline = 3;
  void describe(Fields& fields);
};

struct RunSettings {
  ModelSettings model = {};
  std::string tokenizer = {};  // a folder or tokenizer.json; the model folder's unless named
  DataSettings data = {};
  ObjectiveList objective = {};
  ReferenceSettings reference = {};
  FrozenModelSettings models = {};
  OptimizerSettings optimizer = {};
  ScheduleSettings schedule = {};
  BatchSettings batch = {};
  double epochs = 1;
  int steps = 0;       // instead of epochs
  int eval_every = 0;  // steps; 0: at the end only
  int save_every = 0;  // steps; 0: at the end only
  int keep_checkpoints = 2;
  SampleSettings samples = {};
  MonitorSettings monitor = {};
  int threads = 0;        // 0: all cores of this process
  double memory_gib = 0;  // what a step may use; 0: what the machine has available
  std::int64_t seed = 0;
  std::string out = "runs/attune";
  void describe(Fields& fields);
};

// One stage of a run: its settings with everything the run file says for all stages filled in.
struct Stage {
  std::string name = {};  // the objective's name, numbered when there are several stages: "1-sft"
  RunSettings settings = {};
};

struct RunFile {
  std::string text = {};  // the run file as written
  std::vector<std::string> overrides = {};
  std::string verb = {};           // the objective that the command line named
  std::vector<Stage> stages = {};  // one, unless the file has `stages:`
  std::string out = {};
  std::int64_t seed = 0;
};

// The word of the command line that stands for every objective of reward models: `attune train reward RUN`.
inline constexpr std::string_view reward_verb = "reward";

// Reads a run file. `verb` is the objective named on the command line ("dpo"); a file that names other ones is refused.
// With `stages: [{sft: {...}}, {dpo: {...}}]` each entry holds the objective's options and any key of the run file that
// differs for that stage; a stage of several objectives says `objective: [...]` instead of options. Throws
// MissingInput, UsageError, ConfigError.
RunFile load_run(const Path& file, const std::vector<std::string>& overrides, const std::string& verb);
// The same from text: what a run directory keeps to be resumed from.
RunFile parse_run(std::string text, const std::string& file, const std::vector<std::string>& overrides,
                  const std::string& verb);

// All settings, defaults included: a run file again; of several stages, one section each (a record, no run file).
Json save_run(RunFile& run);

}  // namespace attune
