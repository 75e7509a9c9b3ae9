// `attune diagnose`: runs a diagnostic of the catalogue on models and data.
#include <filesystem>

#include "attune/base/errors.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/sampling.h"
#include "attune/cli_torch/verbs.h"
#include "attune/config/read.h"
#include "attune/data/read.h"
#include "attune/diagnostics/diagnostic.h"
#include "attune/train/chat.h"
#include "attune/train/encode.h"

namespace attune {
namespace {

Choice<Diagnostic> diagnostic_named(Arguments& arguments, const std::string& name) {
  const auto* row = find_part<Diagnostic>(name);
  if (row != nullptr) return Choice<Diagnostic>(*row);
  std::vector<std::string_view> names;
  std::string all;
  for (const auto& known : part_rows<Diagnostic>()) {
    names.push_back(known.path);
    all += (all.empty() ? "" : ", ") + std::string(known.path);
  }
  const std::string near = nearest(name, names);
  arguments.fail("the unknown diagnostic '" + name + "'", near.empty() ? "one of " + all : near);
}

void configure(Choice<Diagnostic>& diagnostic, const std::vector<std::string>& assignments) {
  ConfigNode root{.kind = ConfigNode::Kind::map, .file = "command line"};
  for (const std::string& assignment : assignments) apply_override(root, assignment);
  read_fields(root, [&](Fields& fields) { diagnostic.row()->part->describe(*diagnostic, fields); });
}

// What the command line names, in words that stand for nothing loaded yet.
struct Named {
  std::vector<ModelChoice> models = {};
  std::optional<ModelChoice> reference = {};
  std::vector<std::string> data = {};
  std::string tokenizer = {};    // of all of them; empty: nothing is named that has one
  bool tokenizer_given = false;  // on the command line: then it is taken for all
  std::string chat_template = {};
  std::int64_t max_tokens = 0, batch_tokens = 0;
};

// Words behind a list of models that assign an option are no models.
bool is_assignment(const std::string& word) {
  return word.find('=') != std::string::npos && !std::filesystem::exists(word);
}

Named named_on(Arguments& arguments, std::vector<std::string>& assignments) {
  Named named;
  for (const std::string& word : arguments.list("--models")) {
    if (is_assignment(word)) {
      assignments.push_back(word);
    } else {
      named.models.push_back(model_named(word));
    }
  }
  if (auto model = arguments.option("--model")) {
    if (!named.models.empty()) arguments.fail("--model and --models", "one of the two");
    const auto adapter = arguments.option("--adapter");
    named.models.push_back(adapter ? ModelChoice{.model = *model, .tokenizer = *model, .adapter = adapter}
                                   : model_named(*model));
  }
  if (!named.models.empty()) named.tokenizer = named.models.front().tokenizer;
  if (auto tokenizer = arguments.option("--tokenizer")) {
    named.tokenizer = *tokenizer;
    named.tokenizer_given = true;
  }
  named.chat_template = arguments.option("--template").value_or("");
  if (const auto reference = arguments.option("--reference")) {
    named.reference = model_named(*reference);
  } else if (!named.models.empty() && named.models.front().adapter) {
    named.reference = named.models.front();
    named.reference->adapter.reset();
  }
  named.data = arguments.every("--data");
  const at::Device device = device_option(arguments);
  for (ModelChoice& choice : named.models) choice.device = device;
  if (named.reference) named.reference->device = device;
  named.max_tokens = integer_from(arguments, "--max-tokens", 1 << 20, 1);
  named.batch_tokens = integer_from(arguments, "--batch-tokens", 4096, 1);
  return named;
}

std::string range_text(std::size_t least, std::size_t most) {
  return least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
}

void check(const Arguments& arguments, const Demands& demands, const Named& named) {
  const auto count = [&](const char* what, std::size_t found, std::size_t least, std::size_t most) {
    if (found >= least && found <= most) return;
    arguments.fail(std::to_string(found) + " of " + what, range_text(least, most));
  };
  count(demands.most_models > 1 ? "--models" : "--model", named.models.size(), demands.least_models,
        demands.most_models);
  count("--data", named.data.size(), demands.least_data, demands.most_data);
  if (demands.reference && !named.reference) {
    arguments.fail("no --reference", "the model that training started from");
  }
  if (!named.data.empty() && named.tokenizer.empty()) arguments.fail("--data without --model", "one, or --tokenizer T");
}

EncodedSplit read_split(const std::string& path, const Named& named, const Tokenizer& tokenizer) {
  const ReadResult read = read_dataset({{.path = path}});
  EncodedData encoded = encode(read.dataset, tokenizer,
                               {.max_tokens = named.max_tokens, .chat = chat_encoder(named.chat_template, tokenizer)});
  log_report(encoded.report);
  return {.name = Path(path).stem().string(), .records = std::move(encoded.records)};
}

ModelSource source_of(const ModelChoice& choice, const Tokenizer& tokenizer) {
  return {.name = choice.adapter.value_or(choice.model),
          .load = [&choice, &tokenizer] { return load_choice(choice, tokenizer); }};
}

std::optional<Tokenizer> tokenizer_of(const Named& named) {
  if (named.tokenizer.empty()) return std::nullopt;
  return Tokenizer::load(named.tokenizer);
}

// Looks at both of them for as long as it lives.
Subject subject_of(const Named& named, const std::optional<Tokenizer>& tokenizer) {
  Subject subject{.batch_tokens = named.batch_tokens};
  if (!tokenizer) return subject;
  subject.text = text_interface(*tokenizer);
  const auto source = [&](const ModelChoice& choice) {
    if (!named.tokenizer_given) require_tokenizer(choice, *tokenizer, named.tokenizer);
    return source_of(choice, *tokenizer);
  };
  for (const ModelChoice& choice : named.models) subject.models.push_back(source(choice));
  if (named.reference) subject.reference = source(*named.reference);
  for (const std::string& path : named.data) subject.data.push_back(read_split(path, named, *tokenizer));
  return subject;
}

}  // namespace

int run_diagnose(Arguments& arguments) {
  const std::string name = arguments.action("the NAME of a diagnostic");
  Choice<Diagnostic> diagnostic = diagnostic_named(arguments, name);
  std::vector<std::string> assignments;
  const Named named = named_on(arguments, assignments);
  const bool json = arguments.flag("--json");
  const auto html = arguments.option("--html");
  for (std::string& word : arguments.rest(0, 1'000, "key=value options")) assignments.push_back(std::move(word));
  configure(diagnostic, assignments);
  check(arguments, diagnostic->demands(), named);

  const std::optional<Tokenizer> tokenizer = tokenizer_of(named);
  const Subject subject = subject_of(named, tokenizer);
  const ReportPage page = diagnostic->run(subject);
  if (html) write_durably(disk(), *html, html_of(page));
  answer_page(page, json);
  return 0;
}

}  // namespace attune
