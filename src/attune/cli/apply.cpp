// `attune data apply RUN`: a list of operators over preference data, with a manifest of what was done beside the
// output.
#include "attune/cli/apply.h"

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/hash.h"
#include "attune/cli/answer.h"
#include "attune/cli/verbs.h"
#include "attune/config/read.h"
#include "attune/curate/operator.h"
#include "attune/data/read.h"
#include "attune/data/write.h"

namespace attune {
namespace {

struct ApplySettings {
  std::vector<DataPart> data = {};
  OperatorList curate = {};
  std::string out = {};
  WriteOptions write = {};
  OnBadRow on_bad_row = OnBadRow::refuse;
  std::int64_t seed = 0;

  void describe(Fields& fields) {
    fields("data", data, "what the operators are applied to: paths, or {path, weight, limit, format}").required();
    fields("curate", curate, "the operators, in order").required();
    fields("out", out, "the file to write").required();
    fields("format", write.format, "of that file");
    fields("lossy", write.lossy, "leave out what the format cannot carry instead of refusing");
    fields("on_bad_row", on_bad_row, "refuse the data, or drop and count the row");
    fields("seed", seed, "of every random draw");
  }
};

ApplySettings load_settings(const std::string& file, const std::vector<std::string>& overrides) {
  ConfigNode root = read_yaml(file);
  for (const std::string& assignment : overrides) apply_override(root, assignment);
  ApplySettings settings;
  read_config(root, settings);
  for (const Choice<Operator>& chosen : settings.curate) {
    try {
      chosen->check();
    } catch (const ConfigError& error) {
      const Problem& problem = error.problem();
      throw ConfigError({.file = file, .field = "curate." + std::string(chosen.name()) + "." + problem.where.field},
                        problem.found, problem.expected, problem.remedy);
    }
  }
  return settings;
}

Json file_facts(const Path& path) {
  const MappedFile file(path);
  return Json::object({{"path", path.string()}, {"bytes", file.bytes().size()}, {"hash", hash_hex(file.bytes())}});
}

// Everything that made the output what it is; written after it, so that there is never one without the other's content.
Json manifest_of(ApplySettings& settings, const Curated& curated, const WriteResult& written) {
  Json inputs = Json::array(), steps = Json::array();
  for (const DataPart& part : settings.data) {
    if (part.path == "-") continue;
    for (const Path& file : data_files(part.path)) inputs.push_back(file_facts(file));
  }
  for (const OperatorStep& step : curated.steps) steps.push_back(step.json());
  Json output = file_facts(settings.out);
  output.set("records", written.records);
  output.set("rows", written.rows);
  output.set("lossy_records", written.lossy_records);
  return Json::object({{"version", ATTUNE_VERSION},
                       {"settings", save_config(settings)},
                       {"inputs", std::move(inputs)},
                       {"steps", std::move(steps)},
                       {"output", std::move(output)}});
}

void print_steps(Answer& answer, const Curated& curated, const std::string& out) {
  for (const OperatorStep& step : curated.steps) {
    answer.text(step.name + ": " + std::to_string(step.in) + " -> " + std::to_string(step.out) + " records\n");
    for (const auto& [what, times] : step.counts) answer.text("  " + what + ": " + std::to_string(times) + "\n");
    for (const auto& [what, value] : step.findings.members()) answer.text("  " + what + " = " + value.str() + "\n");
  }
  answer.text("written: " + out + "\n");
}

}  // namespace

int run_data_apply(Arguments& arguments) { return apply_to_data(arguments); }

int apply_to_data(Arguments& arguments, const OpenWriter& open) {
  Arguments for_torch_half = arguments;
  const bool json = arguments.flag("--json");
  const auto words = arguments.rest(1, 1000, "RUN.yaml [key=value ...]");
  ApplySettings settings = load_settings(words[0], {words.begin() + 1, words.end()});
  if (!open && asks_for_writer(settings.curate)) return run_in_torch_half("data apply", for_torch_half);
  open_writers(settings.curate, open);
  const auto seed = static_cast<std::uint64_t>(settings.seed);
  ReadResult read = read_dataset(settings.data, {.on_bad_row = settings.on_bad_row, .seed = seed});
  const Curated curated = apply_operators(std::move(read.dataset), settings.curate, seed);
  const WriteResult written = write_dataset(disk(), settings.out, curated.dataset, settings.write);
  Json manifest = manifest_of(settings, curated, written);
  const std::string beside = settings.out + ".manifest.json";
  write_durably(disk(), beside, manifest.str(2) + "\n");
  Answer answer;
  if (json) {
    manifest.set("manifest", beside);
    manifest.set("bad_rows_dropped", read.report.bad_rows);
    answer.document(manifest);
  } else {
    print_steps(answer, curated, settings.out);
  }
  answer.finish();
  return 0;
}

}  // namespace attune
