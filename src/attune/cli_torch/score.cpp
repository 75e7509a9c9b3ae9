// `attune score`: what a reward model, or several together, say of each completion.
#include <array>

#include "attune/base/errors.h"
#include "attune/base/threads.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/language_scores.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/verbs.h"
#include "attune/data/read.h"
#include "attune/rewards/ensemble.h"
#include "attune/rewards/reward_model.h"
#include "attune/tensor/allocator.h"
#include "attune/train/chat.h"
#include "attune/train/encode.h"

namespace attune {
namespace {

enum class Method { reward_model, yes_no, follow_up };
constexpr auto enum_names(Method) {
  return std::array{std::pair{std::string_view("reward-model"), Method::reward_model},
                    std::pair{std::string_view("yes-no"), Method::yes_no},
                    std::pair{std::string_view("follow-up"), Method::follow_up}};
}

struct ScoreOptions {
  Method method = Method::reward_model;
  std::vector<std::string> questions = {};
  bool unwanted = false;
  std::vector<std::string> models = {};
  std::optional<std::string> tokenizer = {};
  std::string chat_template = {};
  ContextUse context = ContextUse::ignore;
  std::int64_t max_tokens = 0, batch_tokens = 0;
  Combine combine = Combine::mean;
  double factor = 1;
  at::Device device = at::kCPU;
};

template <class Enum>
Enum one_of(Arguments& arguments, const char* option, Enum otherwise) {
  const auto given = arguments.option(option);
  if (!given) return otherwise;
  std::string known;
  for (const auto& [name, value] : enum_names(Enum())) {
    if (name == *given) return value;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  arguments.fail(option + (" " + *given), known);
}

ScoreOptions options_of(Arguments& arguments) {
  ScoreOptions options{.models = arguments.list("--models")};
  const auto model = arguments.option("--model");
  if (model.has_value() == !options.models.empty()) {
    arguments.fail(model ? "--model beside --models" : "no --model", "one of --model and --models");
  }
  if (model) options.models = {*model};
  options.tokenizer = arguments.option("--tokenizer");
  options.chat_template = arguments.option("--template").value_or("");
  options.max_tokens = arguments.integer("--max-tokens", 1 << 20);
  options.batch_tokens = arguments.integer("--batch-tokens", 4096);
  options.factor = arguments.number("--factor", 1);
  options.method = one_of(arguments, "--method", Method::reward_model);
  options.questions = arguments.list("--questions");
  options.unwanted = arguments.flag("--unwanted");
  if ((options.method == Method::yes_no) == options.questions.empty()) {
    arguments.fail(options.questions.empty() ? "no --questions" : "--questions that nobody asks",
                   "--method yes-no with at least one question, or neither");
  }
  if (options.unwanted && options.method != Method::yes_no) {
    arguments.fail("--unwanted", "it beside --method yes-no alone");
  }
  options.device = device_option(arguments);
  options.context = one_of(arguments, "--context", ContextUse::ignore);
  options.combine = one_of(arguments, "--combine", Combine::mean);
  return options;
}

struct Scored {
  std::vector<TokenRecord> records = {};
  std::vector<std::vector<Scores>> scores = {};  // of each completion of each record
  std::vector<std::string> attributes = {};
};

Scored score_with(const std::string& folder, const Dataset& dataset, const ScoreOptions& options) {
  const std::string named = options.tokenizer.value_or(folder);
  const Tokenizer tokenizer = Tokenizer::load(named);
  EncodedData encoded = encode(dataset, tokenizer,
                               {.max_tokens = options.max_tokens,
                                .chat = chat_encoder(options.chat_template, tokenizer),
                                .context = options.context});
  log_report(encoded.report);
  RewardModel model = RewardModel::load(folder, {.device = options.device});
  require_vocabulary(model.model().config(), tokenizer.vocabulary_size(), named);
  auto scores = model.score(encoded.records, options.batch_tokens);
  return {std::move(encoded.records), std::move(scores), model.head().attributes()};
}

// Of a language model, by what it takes to be the next words.
Scored score_by_words(const std::string& folder, const Dataset& given, const ScoreOptions& options) {
  Dataset dataset = given;
  for (Record& record : dataset.records) record = with_context(std::move(record), options.context);
  const std::string named = options.tokenizer.value_or(folder);
  const Tokenizer tokenizer = Tokenizer::load(named);
  LanguageModel model = LanguageModel::load(folder, {.device = options.device});
  require_vocabulary(model.config(), tokenizer.vocabulary_size(), named);
  const auto values = options.method == Method::follow_up
                          ? follow_up_scores(model, tokenizer, dataset, options.batch_tokens)
                          : yes_no_scores(model, tokenizer, dataset,
                                          {.questions = options.questions,
                                           .wanted = !options.unwanted,
                                           .combine = options.combine,
                                           .factor = options.factor},
                                          options.batch_tokens);
  Scored result;
  for (std::size_t r = 0; r < values.size(); ++r) {
    result.records.push_back({.id = dataset.records[r].id, .row = static_cast<std::int64_t>(r)});
    result.scores.emplace_back();
    for (const double value : values[r]) result.scores.back().push_back({.score = value});
  }
  return result;
}

Json row_of(const TokenRecord& record, std::size_t completion, const Scores& scores,
            const std::vector<std::string>& attributes) {
  Json row = Json::object(
      {{"record", record_address(record.id, record.row)}, {"completion", completion}, {"score", scores.score}});
  if (attributes.size() > 1) {
    Json by_name = Json::object();
    for (std::size_t i = 0; i < attributes.size(); ++i) by_name.set(attributes[i], scores.outputs[i]);
    row.set("scores", std::move(by_name));
  }
  if (scores.spread) row.set("spread", *scores.spread);
  return row;
}

// The members' scores as one; records that a member's tokenizer leaves no room for are an error, not a shorter list.
Scored combined(std::vector<Scored> members, const ScoreOptions& options) {
  if (members.size() == 1) return std::move(members.front());
  Scored result = std::move(members.front());
  result.attributes.clear();
  for (std::size_t m = 1; m < members.size(); ++m) {
    if (members[m].records.size() == result.records.size()) continue;
    throw DataError({.file = options.models[m]}, "other records left out than by " + options.models.front(),
                    "the same for all models", "raise --max-tokens");
  }
  for (std::size_t r = 0; r < result.records.size(); ++r) {
    for (std::size_t c = 0; c < result.scores[r].size(); ++c) {
      std::vector<double> said{result.scores[r][c].score};
      for (std::size_t m = 1; m < members.size(); ++m) said.push_back(members[m].scores[r][c].score);
      result.scores[r][c] = {.score = combine(said, options.combine, options.factor), .spread = disagreement(said)};
    }
  }
  return result;
}

}  // namespace

int run_score(Arguments& arguments) {
  const ScoreOptions options = options_of(arguments);
  const std::string data = arguments.required("--data");
  Answer answer(arguments.option("--out"));
  arguments.rest(0, 0, "no plain words");

  install_caching_allocator();
  at::set_num_threads(thread_count());
  const ReadResult read = read_dataset({{.path = data}});
  std::vector<Scored> members;
  for (const std::string& folder : options.models) {
    members.push_back(options.method == Method::reward_model ? score_with(folder, read.dataset, options)
                                                             : score_by_words(folder, read.dataset, options));
  }
  const Scored scored = combined(std::move(members), options);
  for (std::size_t r = 0; r < scored.records.size(); ++r) {
    for (std::size_t c = 0; c < scored.scores[r].size(); ++c) {
      answer.row(row_of(scored.records[r], c, scored.scores[r][c], scored.attributes));
    }
  }
  answer.finish();
  return 0;
}

}  // namespace attune
