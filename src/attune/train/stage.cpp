#include "attune/train/stage.h"

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/base/log.h"
#include "attune/base/random.h"
#include "attune/data/degrade.h"
#include "attune/data/read.h"
#include "attune/heads/head_file.h"
#include "attune/heads/reward_head.h"
#include "attune/objectives/reward.h"
#include "attune/tensor/device.h"
#include "attune/text/tokenizer_folder.h"
#include "attune/train/chat.h"
#include "attune/train/labels.h"

namespace attune {
namespace {

Dataset read_parts(const RunSettings& settings, const std::vector<DataPart>& parts) {
  ReadResult read =
      read_dataset(parts, {.on_bad_row = settings.data.on_bad_row, .seed = static_cast<std::uint64_t>(settings.seed)});
  for (const auto& [reason, rows] : read.report.reasons) {
    log_info("dropped " + std::to_string(rows) + " rows: " + reason);
  }
  if (settings.data.degrees > 0) {
    for (Record& record : read.dataset.records) add_degrees(record, settings.data.degrees);
  }
  return std::move(read.dataset);
}

// Records in which the objectives find no answer to score are left out, and counted. DataError when none remains.
std::vector<TokenRecord> encode_useful(const Dataset& dataset, const RunSettings& settings,
                                       const Tokenizer& tokenizer) {
  const Needs needs = needs_of(settings.objective);
  for (const LabelColumn& column : needs.labels) {
    if (column.attribute != objectives::source_column) score_attribute(dataset, column.attribute, "objective");
  }
  EncodedData data = encode(dataset, tokenizer,
                            {.max_tokens = settings.data.max_tokens,
                             .chat = chat_encoder(settings.data.chat_template, tokenizer),
                             .attribute = settings.data.attribute,
                             .labels = needs.labels,
                             .context = settings.data.context,
                             .reference_answers = needs.reference_answers,
                             .rationales = needs.rationales});
  log_report(data.report);
  const std::size_t useless = std::erase_if(data.records, [&](const TokenRecord& record) {
    check_agreement(settings.objective, record.view(0));
    Layout layout;
    try {
      lay_out(settings.objective, record.view(0), layout);
    } catch (const DataError& error) {  // an objective does not know which record it is
      Problem problem = error.problem();
      problem.where.record = record.id.empty() ? std::to_string(record.row) : record.id;
      throw DataError(problem.where, problem.found, problem.expected, problem.remedy);
    }
    return layout.batch().responses.empty();
  });
  if (data.records.empty()) {
    const std::string objective(settings.objective.front().name());
    throw DataError({.file = settings.data.train.front().path},
                    std::to_string(useless) + " records, none of which the objective " + objective + " can learn from",
                    settings.objective.front()->data());
  }
  if (useless > 0) log_info("dropped " + std::to_string(useless) + " records that the objective cannot learn from");
  return std::move(data.records);
}

// What a record asks: its first user message, or the plain prompt. Conversations that continue one another share it.
std::string question_of(const Record& record) {
  for (const Node& node : record.nodes) {
    if (node.message.role == Role::user || node.message.role == Role::plain) return text_of(node.message);
  }
  return {};
}

// Moves the records of a share of the questions out of the data set. Equal questions go the same way, whatever stage or
// file they stand in.
Dataset hold_out(double share, std::uint64_t seed, Dataset& dataset) {
  std::vector<Record> kept, held;
  for (Record& record : dataset.records) {
    const double place = static_cast<double>(hash64(question_of(record), seed) >> 11) * 0x1.0p-53;
    (place < share ? held : kept).push_back(std::move(record));
  }
  if (kept.empty()) throw DataError({.field = "data.held_out"}, "no record left to train on", "", "hold out fewer");
  dataset.records = std::move(kept);
  Dataset result = dataset;
  result.records = std::move(held);
  return result;
}

void flip_labels(double share, std::uint64_t seed, std::vector<TokenRecord>& records) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    Random random(seed, "flip", {static_cast<std::int64_t>(i)});
    for (auto& preference : records[i].preferences) {
      if (random.uniform() < share) std::swap(preference.chosen, preference.rejected);
    }
    for (auto& ballot : records[i].ballots) {
      if (random.uniform() < share) std::swap(ballot.chosen, ballot.rejected);  // all votes go to the other one
    }
  }
}

// A classifier that was one before keeps its labels: they must be those that the objective trains.
void become_reward_model(LanguageModel& model, const RewardNeeds& reward, const Path& folder) {
  const Json& config = model.config().source;
  std::string names, wanted;
  const Json* labels = config.find("id2label");
  for (std::size_t i = 0; i < reward.outputs.size(); ++i) {
    wanted += (i > 0 ? ", " : "") + reward.outputs[i];
  }
  bool same = model.config().labels == std::ssize(reward.outputs);
  for (std::int64_t i = 0; labels != nullptr && labels->is_object() && i < model.config().labels; ++i) {
    const Json* name = labels->find(std::to_string(i));
    const std::string known = name != nullptr && name->is_string() ? name->string() : "";
    names += (i > 0 ? ", " : "") + known;
    const bool unnamed = known.empty() || known == "LABEL_" + std::to_string(i);
    same = same && (unnamed || known == reward.outputs[static_cast<std::size_t>(i)]);
  }
  if (!same) {
    throw ConfigError({.file = folder.string(), .field = "objective.head"},
                      "a classifier with the labels " + names + " under a head of " + wanted, "the same labels");
  }
  model.set_config_entry(head_key, reward.head);
}

// Everything beside the tokens that an objective learns from.
std::string labels_text(const std::vector<TokenRecord>& records) {
  std::string text;
  for (const TokenRecord& record : records) {
    text += record.id;
    for (const auto& preference : record.preferences) {
      text += " " + std::to_string(preference.chosen) + ">" + std::to_string(preference.rejected) + " " +
              format_double(preference.margin) + " " + format_double(preference.weight);
    }
    for (const auto& ballot : record.ballots) {
      text += " " + std::to_string(ballot.chosen) + "?" + std::to_string(ballot.rejected);
      for (const double votes : ballot.votes) text += " " + format_double(votes);
    }
    for (const auto& labels : record.labels) {
      for (const double column : labels.columns) text += " " + format_double(column);
      text += " " + format_double(labels.score) + " " + format_double(labels.weight) + " " +
              format_double(labels.behaviour_logp) + " " + std::to_string(labels.level);
    }
    for (const std::int8_t thumb : record.thumbs) text += " " + std::to_string(thumb);
    text += "\n";
  }
  return text;
}

}  // namespace

at::Device device_of(const RunSettings& settings) {
  const at::Device device = find_device(settings.model.device);
  if (device.is_cpu() && settings.model.dtype == Dtype::bfloat16) {
    throw ConfigError({.field = "model.dtype"}, "bfloat16 on the CPU, where attune computes in float32",
                      "model.dtype=float32, or a GPU: model.device=cuda");
  }
  if (!device.is_cpu() && settings.optimizer.moments != MomentPrecision::full) {
    throw ConfigError({.field = "optimizer.moments"}, "compressed moments on a GPU", "optimizer.moments=full");
  }
  return device;
}

at::TensorOptions tensors_of(const RunSettings& settings) {
  return at::TensorOptions(settings.model.dtype == Dtype::float64 ? at::kDouble : at::kFloat)
      .device(device_of(settings));
}

at::TensorOptions operands_of(const RunSettings& settings) {
  const at::TensorOptions tensors = tensors_of(settings);
  return settings.model.dtype == Dtype::bfloat16 ? tensors.dtype(at::kBFloat16) : tensors;
}

Path tokenizer_folder(const RunSettings& settings) {
  const Path path = settings.tokenizer.empty() ? settings.model.path : settings.tokenizer;
  return std::filesystem::is_directory(path) ? path : path.parent_path();
}

Tokenizer load_tokenizer(const RunSettings& settings) {
  return Tokenizer::load(settings.tokenizer.empty() ? settings.model.path : settings.tokenizer);
}

StageData load_stage_data(const RunSettings& settings, const Tokenizer& tokenizer) {
  const auto seed = static_cast<std::uint64_t>(settings.seed);
  Dataset train = read_parts(settings, settings.data.train), eval;
  if (!settings.data.eval.empty()) {
    eval = read_parts(settings, settings.data.eval);
  } else if (settings.data.held_out > 0) {
    eval = hold_out(settings.data.held_out, seed, train);
  }
  StageData data;
  data.train = encode_useful(train, settings, tokenizer);
  if (!eval.records.empty()) data.eval.records = encode_useful(eval, settings, tokenizer);
  data.prompts = eval.records.empty() ? std::move(train) : std::move(eval);
  if (settings.data.flip > 0) flip_labels(settings.data.flip, seed, data.train);
  data.hash = hash_hex(content_hash(data.train) + labels_text(data.train));
  return data;
}

ComputeOptions compute_options(const RunSettings& settings, bool recompute) {
  return {.recompute_blocks = recompute,
          .head_cache = static_cast<std::uint64_t>(settings.model.head_cache_gib * 1073741824.0)};
}

void prepare_model(const RunSettings& settings, LanguageModel& model) {
  const ModelSettings& wanted = settings.model;
  model.set_compute(compute_options(settings, wanted.recompute == Recompute::on));
  if (!wanted.adapter) return;
  std::vector<std::string> saved = wanted.adapter->modules_to_save;
  if (model.config().labels > 0) saved.push_back("score");  // as PEFT does: nothing else holds what it learns
  model.attach_adapter({.rank = wanted.adapter->rank,
                        .alpha = wanted.adapter->alpha,
                        .targets = wanted.adapter->targets,
                        .rank_stabilized = wanted.adapter->rslora,
                        .saved = std::move(saved),
                        .magnitudes = wanted.adapter->dora,
                        .start = wanted.adapter->init},
                       static_cast<std::uint64_t>(settings.seed));
}

BatchOptions batch_options(const RunSettings& settings) {
  return {.records = settings.batch.records,
          .tokens = settings.batch.tokens,
          .epochs = settings.epochs,
          .steps = settings.steps,
          .shuffle = settings.data.shuffle,
          .seed = static_cast<std::uint64_t>(settings.seed)};
}

void require_whole_steps(const Batches& batches) {
  for (std::int64_t step = 0; step < batches.steps(); ++step) {
    const std::size_t pieces = batches.at(step).size();
    if (pieces == 1) continue;
    throw ConfigError({.field = "optimizer.in_backward"},
                      "step " + std::to_string(step + 1) + " in " + std::to_string(pieces) + " micro-batches",
                      "steps of one micro-batch", "raise batch.tokens or lower batch.records");
  }
}

ModelConfig stage_config(const RunSettings& settings, const Needs& needs) {
  const Path path = settings.model.path.empty() ? settings.model.config : settings.model.path;
  ModelConfig config = read_model_config(path);
  if (needs.reward && config.labels == 0) config = classifier_config(std::move(config), needs.reward->outputs, path);
  return config;
}

LanguageModel load_stage_model(const RunSettings& settings, const std::optional<Path>& previous, const Needs& needs) {
  const ModelSettings& wanted = settings.model;
  const at::TensorOptions tensors = tensors_of(settings);
  const auto seed = static_cast<std::uint64_t>(settings.seed);
  LoadOptions options{.dtype = c10::typeMetaToScalarType(tensors.dtype()),
                      .device = tensors.device(),
                      .classifier = needs.reward.has_value(),
                      .seed = seed};
  if (needs.reward) options.labels = needs.reward->outputs;
  LanguageModel model = [&] {
    if (!previous && wanted.init == Init::random) {
      return LanguageModel::random(stage_config(settings, needs), seed, tensors);
    }
    options.allow_nonfinite = !previous && wanted.allow_nonfinite;
    return LanguageModel::load(previous.value_or(wanted.path), options);
  }();
  if (needs.reward) become_reward_model(model, *needs.reward, previous.value_or(wanted.path));
  prepare_model(settings, model);
  if (!needs.heads.empty()) {
    const std::size_t known = model.attach_heads(needs.heads, seed).load(previous.value_or(wanted.path));
    if (known > 0) log_info("going on with " + std::to_string(known) + " tensors of heads");
  }
  return model;
}

void save_stage_model(Fs& fs, const LanguageModel& model, const RunSettings& settings, const Path& folder,
                      const Path& base) {
  fs.make_directories(folder);
  if (model.adapter() != nullptr && !base.empty()) {
    model.save_adapter(fs, folder, base.string());
    if (model.config().labels > 0) save_head(fs, folder, model.config().source);
  } else {
    model.save(fs, folder, {.dtype = model.dtype()});
  }
  if (model.heads() != nullptr) model.heads()->save(fs, folder);
  copy_tokenizer_files(fs, tokenizer_folder(settings), folder);
}

}  // namespace attune
