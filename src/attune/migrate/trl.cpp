#include "attune/migrate/trl.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/migrate/run_text.h"
#include "attune/migrate/trl_data.h"
#include "attune/migrate/trl_keys.h"
#include "attune/migrate/trl_objective.h"
#include "attune/migrate/trl_values.h"

namespace attune {
namespace {

class Translator {
 public:
  Translator(const TrlCommand& command, bool lossy) : values_(command), lossy_(lossy) {}

  Translation translate() {
    if (values_.command().letter == 'r') {
      throw UsageError({.file = values_.command().file}, "the trainer 'reward'", "sft, dpo, kto, cpo or orpo",
                       "attune trains no reward models yet");
    }
    check_refused();
    const TrlObjective objective = trl_objective(values_);
    model();
    data();
    line("objective", objective.value, values_.knows("loss_type") ? values_.remark("loss_type") : "orpo");
    reference();
    optimizer();
    schedule();
    length_and_output();
    return {.objective = objective.first, .text = head(objective.first) + run_text(lines_) + tail()};
  }

 private:
  void line(std::string path, std::string value, std::string remark) {
    lines_.push_back({std::move(path), std::move(value), std::move(remark)});
  }
  void copy(std::string_view argument) {
    const TrlKey& key = *find_trl_key(argument, values_.command().letter);
    line(std::string(key.target), values_.number_text(argument), values_.remark(argument));
  }
  bool known(std::string_view name) const { return values_.knows(name); }

  // Throws, or drops and lists what cannot be carried over where the user asked for that.
  void refuse(std::string_view argument, std::string found, const std::string& expected, const std::string& reason) {
    if (!lossy_) {
      throw ConfigError(values_.where(argument), std::move(found), expected, "change it, or drop it with --lossy");
    }
    dropped_.push_back(std::string(argument) + ": DROPPED though it changes what is trained: " + reason);
  }
  void refuse_without_counterpart(std::string_view argument, const std::string& reason) {
    refuse(argument, "what changes the training and has no counterpart: " + reason, "", reason);
  }

  void check_refused() {
    const bool adapter = values_.truth("use_peft");
    for (const auto& [name, node] : values_.command().arguments) {
      const TrlKey& key = *find_trl_key(name, values_.command().letter);
      const bool of_adapter = key.name.starts_with("lora_") || key.name == "use_dora" || key.name == "use_rslora";
      if (of_adapter && !adapter) {
        dropped_.push_back(name + ": counts only with use_peft");
      } else if (key.fate == TrlFate::leaves) {
        dropped_.push_back(name + ": " + std::string(key.remark));
      } else if (key.fate == TrlFate::refuses && values_.harmless(key)) {
        dropped_.push_back(name + ": has the value that changes nothing");
      } else if (key.fate == TrlFate::refuses) {
        refuse_without_counterpart(name, std::string(key.remark));
      }
    }
  }

  // A list argument as a list of a run file.
  std::string names(const char* argument) const {
    std::string text;
    for (const auto& name : values_.list(argument)) text += (text.empty() ? "" : ", ") + yaml_text(name);
    return "[" + text + "]";
  }

  void model() {
    const std::string path = values_.text("model_name_or_path");
    if (path.empty()) notes_.push_back("model.path: name a model folder in place of MODEL");
    if (names_the_hub(path))
      notes_.push_back("model.path: attune opens folders; where " + path +
                       " is a name of the Hub, download it and name its folder");
    line("model.path", path.empty() ? "MODEL" : yaml_text(path), "model_name_or_path");
    if (values_.given("gradient_checkpointing")) {
      line("model.recompute", values_.truth("gradient_checkpointing") ? "true" : "false", "gradient_checkpointing");
    }
    if (values_.truth("use_cpu")) line("model.device", "cpu", "use_cpu");
    if (!values_.truth("use_peft")) return;
    line("model.adapter.rank", values_.number_text("lora_r"), values_.remark("lora_r"));
    line("model.adapter.alpha", values_.number_text("lora_alpha"), values_.remark("lora_alpha"));
    line("model.adapter.targets", names("lora_target_modules"), values_.remark("lora_target_modules"));
    if (values_.given("lora_modules_to_save")) {
      line("model.adapter.modules_to_save", names("lora_modules_to_save"), "lora_modules_to_save");
    }
    if (values_.truth("use_dora")) line("model.adapter.dora", "true", "use_dora");
    line("model.adapter.rslora", values_.truth("use_rslora") ? "true" : "false", values_.remark("use_rslora"));
    if (!values_.given("lora_dropout")) {
      notes_.push_back("TRL's default lora_dropout of 0.05 has no counterpart: attune's adapters have no dropout");
    }
  }

  void data() {
    TrlData data = trl_data(values_);
    for (auto& [name, reason] : data.refused) refuse_without_counterpart(name, reason);
    notes_.insert(notes_.end(), data.notes.begin(), data.notes.end());
    lines_.insert(lines_.end(), data.lines.begin(), data.lines.end());
    if (values_.command().letter == 's' && !values_.truth("assistant_only_loss")) {
      notes_.push_back("TRL learns every token of rows without a prompt column, attune the answers only");
    }
  }

  void reference() {
    if (!known("sync_ref_model") || !values_.truth("sync_ref_model")) return;
    line("reference.every", std::to_string(values_.count("ref_model_sync_steps")),
         values_.remark("ref_model_sync_steps"));
    line("reference.mix", values_.number_text("ref_model_mixup_alpha"), values_.remark("ref_model_mixup_alpha"));
  }

  void optimizer() {
    for (const char* name :
         {"learning_rate", "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon", "max_grad_norm"}) {
      copy(name);
    }
    const std::string kind = values_.text("optim");
    if (kind.starts_with("adamw") || kind.starts_with("paged_adamw")) {
      if (kind.find("8bit") != std::string::npos) line("optimizer.moments", "int8", "optim " + kind);
    } else {
      refuse("optim", "an optimiser that attune does not have", "adamw_torch, or an 8-bit AdamW", "attune has AdamW");
    }
  }

  void schedule() {
    const std::string kind = values_.text("lr_scheduler_type");
    const bool warms = kind != "constant";
    std::string warmup = warms ? values_.number_text("warmup_steps") : "0";
    std::string origin = values_.remark("warmup_steps");
    if (warms && values_.number("warmup_steps") == 0 && values_.given("warmup_ratio")) {
      warmup = values_.number_text("warmup_ratio");
      origin = "warmup_ratio";
    }
    if (!warms) origin = "lr_scheduler_type constant has none";
    line("schedule.warmup", warmup, origin);
    std::string decay = kind == "constant_with_warmup" ? "constant" : kind == "cosine_with_min_lr" ? "cosine" : kind;
    if (decay != "linear" && decay != "cosine" && decay != "constant") {
      refuse("lr_scheduler_type", "a schedule that attune does not have",
             "linear, cosine, constant, constant_with_warmup or cosine_with_min_lr", "linear it is");
      decay = "linear";
    }
    line("schedule.decay", decay, values_.remark("lr_scheduler_type"));
    floor(kind);
  }

  void floor(const std::string& kind) {
    const ConfigNode* options = values_.given("lr_scheduler_kwargs") ? values_.node("lr_scheduler_kwargs") : nullptr;
    const ConfigNode* share = options != nullptr ? options->find("min_lr_rate") : nullptr;
    const ConfigNode* rate = options != nullptr ? options->find("min_lr") : nullptr;
    const bool alone = options != nullptr && options->members.size() == 1 && (share != nullptr || rate != nullptr);
    if (kind == "cosine_with_min_lr" && alone) {
      const double lowest = trl_number(share != nullptr ? *share : *rate, "lr_scheduler_kwargs");
      line("schedule.floor", format_double(share != nullptr ? lowest : lowest / values_.number("learning_rate")),
           "lr_scheduler_kwargs");
    } else if (kind == "cosine_with_min_lr" || (options != nullptr && !options->members.empty())) {
      refuse("lr_scheduler_kwargs", "a floor that cannot be read off", "cosine_with_min_lr and {min_lr_rate: 0.1}, say",
             "the rate falls to 0");
    }
  }

  void length_and_output() {
    const std::int64_t rows = values_.count("per_device_train_batch_size"),
                       steps = values_.count("gradient_accumulation_steps");
    const std::int64_t devices = values_.command().devices;
    if (rows * steps > 1000000000 / devices) {
      throw ConfigError(values_.where("per_device_train_batch_size"), "more than a thousand million records a step");
    }
    line("batch.records", std::to_string(rows * steps * devices),
         std::to_string(rows) + " a device x " + std::to_string(steps) + " accumulated x " + std::to_string(devices) +
             (devices == 1 ? " device" : " devices"));
    line("epochs", values_.number_text("num_train_epochs"), values_.remark("num_train_epochs"));
    if (values_.number("max_steps") > 0) line("steps", std::to_string(values_.count("max_steps")), "max_steps");
    evaluation();
    const bool saves = values_.text("save_strategy") == "steps";
    line("save_every", saves ? interval("save_steps") : "0", saves ? values_.remark("save_steps") : "save_strategy");
    if (values_.given("save_total_limit")) {
      line("keep_checkpoints", std::to_string(values_.count("save_total_limit")), "save_total_limit");
    }
    copy("seed");
    const std::string out = values_.text("output_dir");
    line("out", out.empty() ? "trainer_output" : yaml_text(out), values_.remark("output_dir"));
  }

  void evaluation() {
    const std::string kind =
        values_.text(values_.given("evaluation_strategy") ? "evaluation_strategy" : "eval_strategy");
    if (kind == "steps") {
      const char* name = values_.given("eval_steps") ? "eval_steps" : "logging_steps";
      line("eval_every", interval(name), values_.remark(name));
    }
    if (kind != "no" && !values_.given("test_split_size")) {
      notes_.push_back("data.eval: name the files of the split '" + values_.text("dataset_test_split") +
                       "', or a share to hold out: data.held_out");
    }
  }

  // Steps between two events. TRL takes shares of the run below 1, which attune does not have.
  std::string interval(const char* argument) {
    if (values_.number(argument) > 0 && values_.number(argument) < 1) {
      notes_.push_back(std::string(argument) + " is a share of the run; attune counts steps, 0 is at the end only");
      return "0";
    }
    return std::to_string(values_.count(argument));
  }

  std::string head(const std::string& objective) const {
    std::string text = "# attune train " + objective + " RUN.yaml\n#\n";
    text += comment("Translated from a command of TRL's " + values_.command().trainer +
                    ". Behind each value stands the argument it comes from. docs/coming-from-trl.md has all of them.");
    if (!notes_.empty()) text += "#\n# Before you train:\n";
    for (const auto& note : notes_) text += comment(note, "#   - ");
    return text;
  }

  std::string tail() const {
    std::string text = dropped_.empty() ? "" : "#\n# Not carried over:\n";
    for (const auto& reason : dropped_) text += comment(reason, "#   - ");
    return text;
  }

  TrlValues values_;
  bool lossy_;
  std::vector<RunLine> lines_;
  std::vector<std::string> notes_, dropped_;
};

}  // namespace

Translation translate_trl(const TrlCommand& command, bool lossy) { return Translator(command, lossy).translate(); }

}  // namespace attune
