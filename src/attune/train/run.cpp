#include "attune/train/run.h"

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/config/read.h"
#include "attune/tensor/device.h"

namespace attune {

void AdapterSettings::describe(Fields& fields) {
  fields("rank", rank, "rank of the low-rank update").at_least(1);
  fields("alpha", alpha, "scale: alpha / rank").above(0);
  fields("targets", targets, "module names, or all-linear");
  fields("modules_to_save", modules_to_save, "modules beside the blocks trained whole: lm_head, embed_tokens");
  fields("rslora", rslora, "scale by alpha / sqrt(rank) instead");
  fields("dora", dora, "train the norms of the rows apart from their directions (DoRA)");
  fields("init", init, "how the factors start");
  fields("rate_ratio", rate_ratio, "learning rate of B over that of A (LoRA+)").above(0);
}

void ModelSettings::describe(Fields& fields) {
  fields.shorthand("path");
  fields("path", path, "a Hugging Face model folder");
  fields("config", config, "a config.json, to start from scratch");
  fields("init", init, "where the weights come from");
  fields("dtype", dtype, "of weights and arithmetic; bfloat16: of the operands of matrix products, on a GPU");
  fields("device", device, "where the model is trained: cpu, cuda, cuda:N; auto: the first GPU, else the CPU");
  fields("adapter", adapter, "train a LoRA adapter instead of all weights");
  fields("allow_nonfinite", allow_nonfinite, "train although weights hold NaN or infinite values");
  fields("recompute", recompute,
         "compute blocks again in the backward pass: less memory, a third more time; auto: where a step does not fit");
  fields("head_cache_gib", head_cache_gib, "logits kept for the backward pass while they fit").at_least(0);
}

void DataSettings::describe(Fields& fields) {
  fields("train", train, "what to learn from");
  fields("eval", eval, "what to measure on");
  fields("chat_template", chat_template, "a Jinja file; the tokenizer's own unless given");
  fields("held_out", held_out, "share of the training prompts kept apart to measure on, where eval is empty")
      .within(0, 0.9);
  fields("flip", flip, "share of training comparisons turned around at random: a control, or label noise").within(0, 1);
  fields("attribute", attribute, "which rating is an answer's score; unless given 'score', else the data's first");
  fields("context", context,
         "where a record's context stands in the prompt, if it does: before its first message or after its last");
  fields("degrees", degrees, "graded variants made of each compared answer by taking content away").within(0, 20);
  fields("max_tokens", max_tokens, "of prompt and completion together").at_least(2);
  fields("shuffle", shuffle, "a new order every epoch, drawn from the seed");
  fields("on_bad_row", on_bad_row, "refuse the data, or drop and count the row");
}

void ReferenceSettings::Bema::describe(Fields& fields) {
  fields("lag", lag, "age of the average at the start, in steps").above(0);
  fields("ema_power", ema_power, "the average forgets as (lag + step)^-power").at_least(0);
  fields("bias_power", bias_power, "its bias is corrected by (lag + step)^-power").at_least(0);
}

void ReferenceSettings::describe(Fields& fields) {
  fields.shorthand("mode");
  fields("mode", mode, "the model the stage starts from (what the stage before left), or the policy itself");
  fields("model", model, "a model folder to start from instead");
  fields("every", every, "steps after which it moves towards the policy; 0: never (TRL: 512)").at_least(0);
  fields("mix", mix, "share of the policy in such a move; 1: all of it (TRL: 0.6)").within(0, 1);
  fields("bema", bema, "it moves to a bias-corrected average of the policy instead");
}

std::string FrozenModelSettings::of(std::string_view role) const {
  return role == "teacher" ? teacher : role == "dpo" ? dpo : role == "reverse" ? reverse : "";
}

void FrozenModelSettings::describe(Fields& fields) {
  fields("teacher", teacher, "a model folder to distil from");
  fields("dpo", dpo, "a model folder trained by DPO");
  fields("reverse", reverse, "a model folder trained by DPO with chosen and rejected exchanged (data.flip=1)");
}

void OptimizerSettings::AdamW::describe(Fields& fields) {
  fields("lr", lr, "peak learning rate").at_least(0);
  fields("beta1", beta1, "decay of the first moment").within(0, 0.99999);
  fields("beta2", beta2, "decay of the second moment").within(0, 0.99999);
  fields("epsilon", epsilon, "added to the root of the second moment").above(0);
  fields("weight_decay", weight_decay, "decoupled; not on biases and norms").at_least(0);
}

void OptimizerSettings::describe(Fields& fields) {
  fields("adamw", adamw, "AdamW");
  fields("max_grad_norm", max_grad_norm, "clips the gradient's norm; 0: no clipping").at_least(0);
  fields("moments", moments, "how AdamW keeps its state of matrices: 8, 4 or 2 bytes a parameter");
  fields("in_backward", in_backward, "update during the backward pass, so that no gradient is kept: no clipping then");
}

void ScheduleSettings::describe(Fields& fields) {
  fields("warmup", warmup, "below 1 a share of all steps, else steps").at_least(0);
  fields("decay", decay, "how the learning rate falls after warm-up");
  fields("floor", floor, "share of the peak that decay ends at").within(0, 1);
}

void BatchSettings::describe(Fields& fields) {
  fields("records", records, "per optimiser step").at_least(1);
  fields("tokens", tokens, "per micro-batch").at_least(1);
}

void SampleSettings::describe(Fields& fields) {
  fields("prompts", prompts, "how many prompts are answered at each evaluation").at_least(0);
  fields("max_tokens", max_tokens, "of an answer").at_least(1);
}

void MonitorSettings::describe(Fields& fields) {
  fields("over_optimisation", over_optimisation,
         "log likelihood, entropy and mass of tokens of compared answers, and warn once when they say stop");
  fields("every", every, "steps between looks; 0: so seldom that they cost below 1 % of the time").at_least(0);
  fields("records", records, "records with comparisons that are looked at; 0: as many as that allows").at_least(0);
  fields("k", k, "of the most probable tokens whose entropy and mass are logged").at_least(1);
  fields("patience", patience, "looks in a row whose entropy has to fall behind a turn").at_least(1);
  fields("decline", decline, "looks in a row in which the mass has to shrink").at_least(1);
}

void RunSettings::describe(Fields& fields) {
  fields("model", model, "the model to train");
  fields("tokenizer", tokenizer, "a folder or tokenizer.json; the model folder's unless given");
  fields("data", data, "");
  fields("objective", objective, "what is minimised: one, or a list whose terms add");
  fields("reference", reference, "what objectives compare the policy with");
  fields("models", models, "other frozen models that objectives ask for");
  fields("optimizer", optimizer, "");
  fields("schedule", schedule, "");
  fields("batch", batch, "");
  fields("epochs", epochs, "passes over the data").above(0);
  fields("steps", steps, "optimiser steps, instead of epochs").at_least(0);
  fields("eval_every", eval_every, "steps between evaluations; 0: at the end only").at_least(0);
  fields("save_every", save_every, "steps between checkpoints; 0: at the end only").at_least(0);
  fields("keep_checkpoints", keep_checkpoints, "older ones are removed").at_least(1);
  fields("samples", samples, "answers written at each evaluation");
  fields("monitor", monitor, "what a run of pairs watches of itself");
  fields("threads", threads, "0: all cores of this process").at_least(0);
  fields("memory_gib", memory_gib, "memory the process may use; 0: what the machine has available").at_least(0);
  fields("seed", seed, "of every random draw");
  fields("out", out, "the run directory");
}

namespace {

std::vector<std::string> run_keys() {
  RunSettings settings;
  const Json saved = save_config(settings);
  std::vector<std::string> keys;
  for (const auto& [key, value] : saved.members()) keys.push_back(key);
  return keys;
}

void set_member(ConfigNode& map, const std::string& key, ConfigNode value) {
  for (auto& member : map.members) {
    if (member.first == key) {
      member.second = std::move(value);
      return;
    }
  }
  map.members.emplace_back(key, std::move(value));
}

// Members of `over` replace those of `base`, maps merging: a stage says only what differs.
void merge(ConfigNode& base, const ConfigNode& over) {
  if (base.kind != ConfigNode::Kind::map || over.kind != ConfigNode::Kind::map) {
    base = over;
    return;
  }
  for (const auto& [key, value] : over.members) {
    const auto known =
        std::find_if(base.members.begin(), base.members.end(), [&](const auto& member) { return member.first == key; });
    if (known == base.members.end()) {
      base.members.emplace_back(key, value);
    } else {
      merge(known->second, value);
    }
  }
}

// Moves `optimizer: {lr: x}` to where it belongs, `optimizer: {adamw: {lr: x}}`.
void spell_out_rate(ConfigNode& run) {
  for (auto& [key, optimizer] : run.members) {
    const ConfigNode* rate = key == "optimizer" ? optimizer.find("lr") : nullptr;
    if (rate == nullptr) continue;
    ConfigNode value = *rate;
    std::erase_if(optimizer.members, [](const auto& member) { return member.first == "lr"; });
    ConfigNode adamw;
    if (const ConfigNode* own = optimizer.find("adamw")) adamw = *own;
    if (adamw.find("lr") != nullptr) {
      throw ConfigError(value.where("optimizer.lr"), "the learning rate twice: lr and adamw.lr", "one of them");
    }
    adamw.kind = ConfigNode::Kind::map;
    set_member(adamw, "lr", std::move(value));
    set_member(optimizer, "adamw", std::move(adamw));
  }
}

// {sft: {keys and options}} becomes a run file of its own: the common keys, the stage's keys, `objective: {sft:
// options}` (or the stage's own list of objectives).
ConfigNode expand_stage(const ConfigNode& common, const ConfigNode& stage, const std::vector<std::string>& keys) {
  if (stage.kind != ConfigNode::Kind::map || stage.members.size() != 1) {
    throw ConfigError(stage.where("stages"), "a stage that does not name one objective", "- sft: {...}");
  }
  const auto& [name, body] = stage.members.front();
  ConfigNode own, options;
  for (ConfigNode* node : {&own, &options}) {
    node->kind = ConfigNode::Kind::map;
    node->file = body.file;
    node->line = body.line;
  }
  for (const auto& [key, value] : body.members) {
    const bool of_run = std::find(keys.begin(), keys.end(), key) != keys.end();
    if (key == "out" || key == "seed" || key == "model" || key == "tokenizer") {
      throw ConfigError(value.where("stages." + name + "." + key), "a key that belongs to the whole run");
    }
    (of_run ? own : options).members.emplace_back(key, value);
  }
  spell_out_rate(own);
  ConfigNode result = common;
  merge(result, own);
  if (own.find("objective") != nullptr) {  // a list of its own, so there is nothing left for options to belong to
    if (!options.members.empty()) {
      const auto& [key, value] = options.members.front();
      throw ConfigError(value.where("stages." + name + "." + key), "an option beside a list of objectives",
                        "it inside the list");
    }
    return result;
  }
  ConfigNode objective;
  objective.kind = ConfigNode::Kind::map;
  objective.file = stage.file;
  objective.line = stage.line;
  objective.members.emplace_back(name, std::move(options));
  set_member(result, "objective", std::move(objective));
  return result;
}

// Options that exclude each other, frozen models that nobody named, a reference that cannot move as it should.
void check_objectives(const RunSettings& settings, const ConfigNode& root) {
  for (const auto& objective : settings.objective) {
    try {
      objective->check();
    } catch (const ConfigError& error) {  // an objective does not know which file it was read from
      const Problem& problem = error.problem();
      throw ConfigError(root.where("objective." + std::string(objective.name()) + "." + problem.where.field),
                        problem.found, problem.expected, problem.remedy);
    }
  }
  for (const std::string& role : needs_of(settings.objective).frozen_models()) {
    if (role != "reference" && settings.models.of(role).empty()) {
      throw ConfigError(root.where("models." + role), "no model in the role '" + role + "', which the objective needs",
                        "a model folder: models." + role + "=PATH");
    }
  }
  const ReferenceSettings& reference = settings.reference;
  const bool in_rounds = rounds_of(settings.objective).count > 1;
  const bool moves = reference.every > 0 || in_rounds;
  if (reference.mode == ReferenceMode::live && (moves || !reference.model.empty())) {
    throw ConfigError(root.where("reference"), "a live reference that also moves or has a folder", "one of the two");
  }
  if (reference.bema && (reference.every == 0 || in_rounds)) {
    throw ConfigError(root.where("reference.bema"), "an average without steps between moves", "reference.every=400");
  }
  if (reference.every > 0 && in_rounds) {
    throw ConfigError(root.where("reference.every"), "a moving reference under an objective that trains in rounds",
                      "one of the two");
  }
}

void check(const RunSettings& settings, const ConfigNode& root) {
  const auto refuse = [&](std::string field, std::string found, std::string expected) {
    throw ConfigError(root.where(std::move(field)), std::move(found), std::move(expected));
  };
  if (settings.data.train.empty()) refuse("data.train", "no training data", "a path: data.train=PATH");
  const ModelSettings& model = settings.model;
  if (model.path.empty() == model.config.empty()) {
    refuse("model", model.path.empty() ? "no model" : "both path and config",
           "a model folder, or {config: FILE, init: random}");
  }
  if (model.path.empty() && model.init != Init::random) refuse("model.init", "pretrained without a path", "random");
  if (model.path.empty() && settings.tokenizer.empty())
    refuse("tokenizer", "no tokenizer", "a path: there is no model folder");
  if (model.init == Init::random && model.adapter)
    refuse("model.adapter", "an adapter on random weights", "a pretrained model");
  if (model.adapter && model.adapter->dora && model.adapter->init == AdapterStart::principal) {
    refuse("model.adapter.init", "pissa under dora", "kaiming or gaussian");
  }
  if (!is_device_name(model.device)) refuse("model.device", json_quote(model.device), device_names);
  const OptimizerSettings& optimizer = settings.optimizer;
  if (optimizer.in_backward && optimizer.max_grad_norm > 0) {
    refuse("optimizer.in_backward", "updates in the backward pass under clipping, whose norm is known only behind it",
           "optimizer.max_grad_norm=0");
  }
  if (optimizer.moments != MomentPrecision::full && model.dtype == Dtype::float64) {
    refuse("optimizer.moments", "compressed moments of float64 weights", "optimizer.moments=full");
  }
  check_objectives(settings, root);
}

}  // namespace

// `optimizer.lr` is short for `optimizer.adamw.lr`, in run files and on the command line, where what is set last
// counts.
static std::string spelled_out(const std::string& assignment) {
  const std::string shorthand = "optimizer.lr=";
  return assignment.starts_with(shorthand) ? "optimizer.adamw.lr=" + assignment.substr(shorthand.size()) : assignment;
}

RunFile load_run(const Path& file, const std::vector<std::string>& overrides, const std::string& verb) {
  return parse_run(read_file(file), file.string(), overrides, verb);
}

RunFile parse_run(std::string text, const std::string& file, const std::vector<std::string>& overrides,
                  const std::string& verb) {
  RunFile run;
  ConfigNode root = parse_yaml(text, file);
  spell_out_rate(root);
  for (const auto& assignment : overrides) apply_override(root, spelled_out(assignment));
  if (root.kind == ConfigNode::Kind::null) root.kind = ConfigNode::Kind::map;
  const auto refuse_verb = [&](const ConfigNode& node, const std::string& named) {
    throw ConfigError(node.where("objective"), "the objective " + named, verb + ", as on the command line");
  };
  std::vector<ConfigNode> trees;
  if (const ConfigNode* stages = root.find("stages")) {
    if (stages->kind != ConfigNode::Kind::list || stages->items.empty()) {
      throw ConfigError(stages->where("stages"), "no list of stages", "- sft: {...}");
    }
    if (root.find("objective") != nullptr) {
      throw ConfigError(root.find("objective")->where("objective"), "both objective and stages", "one of them");
    }
    ConfigNode common = root;
    std::erase_if(common.members, [](const auto& member) { return member.first == "stages"; });
    const auto keys = run_keys();
    for (const ConfigNode& stage : stages->items) {
      trees.push_back(expand_stage(common, stage, keys));
      // The command line outranks what a stage says of itself; `stages.1.dpo.beta=...` addresses one stage.
      for (const auto& assignment : overrides) {
        if (!assignment.starts_with("stages")) apply_override(trees.back(), spelled_out(assignment));
      }
    }
  } else {
    if (root.find("objective") == nullptr && !verb.empty()) {
      ConfigNode objective;
      objective.kind = ConfigNode::Kind::scalar;
      objective.text = verb == reward_verb ? "reward/bradley-terry" : verb;
      objective.file = "command line";
      set_member(root, "objective", std::move(objective));
    }
    trees.push_back(root);
  }
  for (const ConfigNode& tree : trees) {
    Stage stage;
    read_config(tree, stage.settings);
    if (stage.settings.objective.empty()) throw ConfigError(root.where("objective"), "no objective", "sft, dpo, ...");
    check(stage.settings, root);
    const bool first = run.stages.empty();
    if (first && stage.settings.reference.mode == ReferenceMode::previous_stage &&
        needs_of(stage.settings.objective).needs_model("reference")) {
      throw ConfigError(root.where("reference"), "previous_stage in the first stage", "frozen, or reference.model");
    }
    stage.name = stage.settings.objective.front().name();
    std::replace(stage.name.begin(), stage.name.end(), '/', '-');
    run.stages.push_back(std::move(stage));
  }
  // The verb names the objective that the run ends with.
  const ObjectiveList& last = run.stages.back().settings.objective;
  if (!verb.empty() && last.front().name() != verb && !(verb == reward_verb && needs_of(last).reward))
    refuse_verb(root, std::string(last.front().name()));
  if (run.stages.size() > 1) {
    for (std::size_t i = 0; i < run.stages.size(); ++i) {
      run.stages[i].name = std::to_string(i + 1) + "-" + run.stages[i].name;
    }
  }
  run.out = run.stages.back().settings.out;
  run.seed = run.stages.back().settings.seed;
  run.text = std::move(text);
  run.overrides = overrides;
  run.verb = verb;
  return run;
}

Json save_run(RunFile& run) {
  if (run.stages.size() == 1) return save_config(run.stages.front().settings);
  Json result = Json::object();
  for (Stage& stage : run.stages) result.set(stage.name, save_config(stage.settings));
  return result;
}

}  // namespace attune
