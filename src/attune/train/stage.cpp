#include "attune/train/stage.h"

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/base/log.h"
#include "attune/base/random.h"
#include "attune/data/read.h"
#include "attune/train/chat.h"

namespace attune {
namespace {

EncodedData read_and_encode(const RunSettings& settings, const std::vector<DataPart>& parts, const Tokenizer& tokenizer,
                            Dataset& dataset, std::int64_t& bad_rows) {
  ReadResult read =
      read_dataset(parts, {.on_bad_row = settings.data.on_bad_row, .seed = static_cast<std::uint64_t>(settings.seed)});
  bad_rows += read.report.bad_rows;
  for (const auto& [reason, rows] : read.report.reasons) {
    log_info("dropped " + std::to_string(rows) + " rows: " + reason);
  }
  EncodedData data =
      encode(read.dataset, tokenizer,
             {.max_tokens = settings.data.max_tokens, .chat = chat_encoder(settings.data.chat_template, tokenizer)});
  const EncodeReport& report = data.report;
  if (report.long_prompts > 0) {
    log_info("dropped " + std::to_string(report.long_prompts) + " records whose prompt fills data.max_tokens");
  }
  if (report.no_answer > 0)
    log_info("dropped " + std::to_string(report.no_answer) + " records without a token to learn");
  if (report.truncated > 0) log_info("cut " + std::to_string(report.truncated) + " completions at data.max_tokens");
  dataset = std::move(read.dataset);
  return data;
}

// Moves the records of a share of the prompts to the evaluation data. Equal prompts go the same way, whatever stage or
// file they stand in.
void hold_out(double share, std::uint64_t seed, StageData& data) {
  std::vector<TokenRecord> kept;
  for (TokenRecord& record : data.train.records) {
    const std::string_view bytes(reinterpret_cast<const char*>(record.prompt.data()),
                                 record.prompt.size() * sizeof(std::int32_t));
    const double place = static_cast<double>(hash64(bytes, seed) >> 11) * 0x1.0p-53;
    (place < share ? data.eval.records : kept).push_back(std::move(record));
  }
  if (kept.empty()) throw DataError({.field = "data.held_out"}, "no record left to train on", "", "hold out fewer");
  data.train.records = std::move(kept);
  data.train.report.records = std::ssize(data.train.records);
}

void flip_labels(double share, std::uint64_t seed, std::vector<TokenRecord>& records) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    Random random(seed, "flip", {static_cast<std::int64_t>(i)});
    for (auto& preference : records[i].preferences) {
      if (random.uniform() < share) std::swap(preference.chosen, preference.rejected);
    }
  }
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
    for (const double score : record.scores) text += " " + format_double(score);
    for (const std::int8_t thumb : record.thumbs) text += " " + std::to_string(thumb);
    text += "\n";
  }
  return text;
}

}  // namespace

Path tokenizer_folder(const RunSettings& settings) {
  const Path path = settings.tokenizer.empty() ? settings.model.path : settings.tokenizer;
  return std::filesystem::is_directory(path) ? path : path.parent_path();
}

Tokenizer load_tokenizer(const RunSettings& settings) {
  return Tokenizer::load(settings.tokenizer.empty() ? settings.model.path : settings.tokenizer);
}

StageData load_stage_data(const RunSettings& settings, const Tokenizer& tokenizer, bool needs_pairs) {
  StageData data;
  Dataset eval_prompts;
  data.train = read_and_encode(settings, settings.data.train, tokenizer, data.prompts, data.bad_rows);
  if (!settings.data.eval.empty()) {
    data.eval.records = read_and_encode(settings, settings.data.eval, tokenizer, eval_prompts, data.bad_rows).records;
    data.prompts = std::move(eval_prompts);
  }
  const auto seed = static_cast<std::uint64_t>(settings.seed);
  if (settings.data.eval.empty() && settings.data.held_out > 0) hold_out(settings.data.held_out, seed, data);
  if (settings.data.flip > 0) flip_labels(settings.data.flip, seed, data.train.records);
  if (needs_pairs) {
    const auto lacking = std::count_if(data.train.records.begin(), data.train.records.end(),
                                       [](const TokenRecord& record) { return record.preferences.empty(); });
    if (lacking == static_cast<std::ptrdiff_t>(data.train.records.size())) {
      throw DataError({.file = settings.data.train.front().path}, "no comparison in any record",
                      "pairs of a chosen and a rejected answer");
    }
  }
  data.hash = hash_hex(content_hash(data.train.records) + labels_text(data.train.records));
  return data;
}

LanguageModel load_stage_model(const RunSettings& settings, const std::optional<Path>& previous) {
  const ModelSettings& wanted = settings.model;
  const at::ScalarType dtype = wanted.dtype == Dtype::float64 ? at::kDouble : at::kFloat;
  const auto seed = static_cast<std::uint64_t>(settings.seed);
  LanguageModel model = [&] {
    if (previous) return LanguageModel::load(*previous, {.dtype = dtype});
    if (wanted.init == Init::random) {
      return LanguageModel::random(read_model_config(wanted.config.empty() ? wanted.path : wanted.config), seed, dtype);
    }
    return LanguageModel::load(wanted.path, {.dtype = dtype, .allow_nonfinite = wanted.allow_nonfinite});
  }();
  model.set_compute({.recompute_blocks = wanted.recompute,
                     .head_cache = static_cast<std::uint64_t>(wanted.head_cache_gib * 1073741824.0)});
  if (wanted.adapter) {
    model.attach_adapter({.rank = wanted.adapter->rank,
                          .alpha = wanted.adapter->alpha,
                          .targets = wanted.adapter->targets,
                          .rank_stabilized = wanted.adapter->rslora},
                         seed);
  }
  return model;
}

void save_stage_model(Fs& fs, const LanguageModel& model, const RunSettings& settings, const Path& folder,
                      const Path& base) {
  fs.make_directories(folder);
  if (model.adapter() != nullptr && !base.empty()) {
    model.save_adapter(fs, folder, base.string());
  } else {
    model.save(fs, folder, {.dtype = model.dtype()});
  }
  const Path source = tokenizer_folder(settings);
  for (const char* name :
       {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"}) {
    if (std::filesystem::exists(source / name)) write_durably(fs, folder / name, read_file(source / name));
  }
}

}  // namespace attune
