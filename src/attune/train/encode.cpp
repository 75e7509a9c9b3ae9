#include "attune/train/encode.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <tuple>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/base/threads.h"
#include "attune/data/validate.h"
#include "attune/train/labels.h"

namespace attune {
namespace {

// The whole text of prompt and answer as one sequence of tokens.
struct Sequence {
  std::vector<std::int32_t> ids = {};
  std::vector<std::uint8_t> scored = {};
  bool truncated = false;
  std::size_t first_scored() const {
    return static_cast<std::size_t>(std::find(scored.begin(), scored.end(), 1) - scored.begin());
  }
};

bool is_plain(const Record& record) {
  return std::all_of(record.nodes.begin(), record.nodes.end(),
                     [](const Node& node) { return node.message.role == Role::plain; });
}

Sequence encode_plain(const Record& record, const Completion& completion, const Tokenizer& tokenizer) {
  const std::string prompt = prompt_text(record, completion);
  const Encoding encoding =
      tokenizer.encode_with_offsets(prompt + completion_text(record, completion), {.add_special_tokens = true});
  Sequence sequence{.ids = encoding.ids};
  for (const ByteSpan& span : encoding.spans) {
    sequence.scored.push_back(span.end > span.begin && span.begin >= prompt.size() ? 1 : 0);
  }
  const auto eos = tokenizer.eos();
  if (eos && (sequence.ids.empty() || sequence.ids.back() != *eos)) {
    sequence.ids.push_back(*eos);
    sequence.scored.push_back(1);
  }
  return sequence;
}

void truncate(Sequence& sequence, std::int64_t most) {
  const auto size = static_cast<std::size_t>(most);
  sequence.truncated = sequence.ids.size() > size;
  if (!sequence.truncated) return;
  sequence.ids.resize(size);
  sequence.scored.resize(size);
}

// Splits the sequences of one record into the prompt that they share and what follows; those from `alone` on are kept
// whole.
void share_prompt(std::vector<Sequence>& sequences, std::size_t alone, TokenRecord& result) {
  std::size_t shared = sequences.front().ids.size();
  for (const Sequence& sequence : std::span(sequences).first(alone)) {
    const auto& first = sequences.front().ids;
    const auto limit = std::min({shared, sequence.first_scored(), sequence.ids.size()});
    shared = static_cast<std::size_t>(
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(std::min(limit, first.size())),
                      sequence.ids.begin())
            .first -
        first.begin());
  }
  result.prompt.assign(sequences.front().ids.begin(),
                       sequences.front().ids.begin() + static_cast<std::ptrdiff_t>(shared));
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Sequence& sequence = sequences[i];
    const auto split = static_cast<std::ptrdiff_t>(i < alone ? shared : 0);
    TokenCompletion completion{{sequence.ids.begin() + split, sequence.ids.end()},
                               {sequence.scored.begin() + split, sequence.scored.end()},
                               i >= alone};
    if (split == 0 && !completion.scored.empty()) completion.scored[0] = 0;  // nothing predicts the first token
    result.scored_tokens.push_back(std::count(completion.scored.begin(), completion.scored.end(), 1));
    result.sequence_tokens.push_back(std::ssize(sequence.ids));
    result.completions.push_back(std::move(completion));
  }
}

// A record, with further completions made of what people wrote about it where that is asked for.
struct Extended {
  const Record* given = nullptr;
  std::optional<Record> longer = {};  // a copy, only where completions were added
  const Record& record() const { return longer ? *longer : *given; }
  std::int32_t reference_answer = -1;
  std::map<std::int32_t, std::int32_t> rationales = {};  // feedback -> completion
  std::size_t alone = 0;                                 // completions from here on stand alone
};

std::int32_t add_node(Record& record, std::int32_t parent, Role role, std::string text) {
  Message message{.role = role};
  message.content.push_back({.text = std::move(text)});
  record.nodes.push_back({.parent = parent, .message = std::move(message)});
  return static_cast<std::int32_t>(record.nodes.size()) - 1;
}

// What a rationale explains: the question, both answers and which of them was preferred. (The paper's layout, Just et
// al. 2024, arXiv:2407.14477, section 3, in words of our own.)
std::string rationale_prompt(const Record& record, const Comparison& comparison) {
  const auto& [a, b] = std::tie(record.completions[static_cast<std::size_t>(comparison.a.completion)],
                                record.completions[static_cast<std::size_t>(comparison.b.completion)]);
  return "Question:\n" + prompt_text(record, a) + "\n\nAnswer A:\n" + completion_text(record, a) + "\n\nAnswer B:\n" +
         completion_text(record, b) + "\n\nAnswer " + (comparison.outcome == Outcome::a ? "A" : "B") +
         " is the better one. Explain why.\n";
}

Extended extended(const Record& record, const EncodeSettings& settings) {
  Extended result{.given = &record, .alone = record.completions.size()};
  const bool adds = settings.reference_answers || settings.rationales;
  const bool in_context = settings.context != ContextUse::ignore && !record.context.empty();
  if (record.completions.empty() || !(adds || in_context)) return result;
  Record& longer = result.longer.emplace(with_context(record, settings.context));
  const bool plain = is_plain(record);
  const auto answer_role = plain ? Role::plain : Role::assistant;
  if (settings.reference_answers && !record.answer.empty()) {
    const std::int32_t after = record.completions.front().after;
    result.reference_answer = static_cast<std::int32_t>(result.alone++);
    longer.completions.push_back({after, add_node(longer, after, answer_role, record.answer)});
  }
  if (!settings.rationales) return result;
  for (const Pair& pair : pairs(record)) {
    const Feedback& feedback = record.feedback[static_cast<std::size_t>(pair.feedback)];
    if (feedback.why.empty()) continue;
    const std::int32_t after = add_node(longer, -1, plain ? Role::plain : Role::user,
                                        rationale_prompt(record, std::get<Comparison>(feedback.what)));
    result.rationales[pair.feedback] = static_cast<std::int32_t>(longer.completions.size());
    longer.completions.push_back({after, add_node(longer, after, answer_role, feedback.why)});
  }
  return result;
}

// Comparisons, and what else people said of the completions.
void copy_labels(const Extended& extended, const EncodeSettings& settings, TokenRecord& result) {
  const Record& record = extended.record();
  result.reference_answer = extended.reference_answer;
  for (const Pair& pair : pairs(record)) {
    const auto rationale = extended.rationales.find(pair.feedback);
    result.preferences.push_back({.chosen = pair.chosen,
                                  .rejected = pair.rejected,
                                  .margin = pair.strength.value_or(0),
                                  .weight = pair.weight,
                                  .rationale = rationale != extended.rationales.end() ? rationale->second : -1});
  }
  result.ballots = ballots(record);
  for (auto& preference : result.preferences) preference.votes = votes_on(preference, result.ballots);
  FeedbackLabels said = feedback_labels(record, settings.attribute);
  result.labels = std::move(said.labels);
  result.thumbs = std::move(said.thumbs);
  auto columns = label_columns(record, settings.labels);
  if (!columns.empty()) result.labels.resize(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) result.labels[i].columns = std::move(columns[i]);
}

enum class Fate { kept, long_prompt, no_answer };

struct Encoded {
  Fate fate = Fate::kept;
  TokenRecord record = {};
  std::int64_t truncated = 0;
};

Sequence encode_completion(const Record& record, const Completion& completion, const Tokenizer& tokenizer,
                           const EncodeSettings& settings) {
  if (is_plain(record)) return encode_plain(record, completion, tokenizer);
  if (!settings.chat) {
    throw ConfigError({.field = "data.chat_template"}, "conversations and no chat template",
                      "a tokenizer that has one, or data.chat_template");
  }
  ChatTokens tokens = settings.chat(record, completion);
  return {.ids = std::move(tokens.ids), .scored = std::move(tokens.scored)};
}

Encoded encode_record(const Record& given, std::size_t row, const Tokenizer& tokenizer,
                      const EncodeSettings& settings) {
  Encoded result;
  const Extended extra = extended(given, settings);
  std::vector<Sequence> sequences;
  for (const Completion& completion : extra.record().completions) {
    Sequence sequence = encode_completion(extra.record(), completion, tokenizer, settings);
    const std::size_t answer = sequence.first_scored();
    truncate(sequence, settings.max_tokens);
    result.truncated += sequence.truncated;
    if (answer >= static_cast<std::size_t>(settings.max_tokens)) result.fate = Fate::long_prompt;
    sequences.push_back(std::move(sequence));
  }
  if (sequences.empty()) result.fate = Fate::no_answer;
  if (result.fate != Fate::kept) return result;
  result.record.id = given.id;
  result.record.row = static_cast<std::int64_t>(row);
  share_prompt(sequences, extra.alone, result.record);
  if (std::count(result.record.scored_tokens.begin(), result.record.scored_tokens.end(), 0) > 0) {
    result.fate = Fate::no_answer;
  }
  copy_labels(extra, settings, result.record);
  return result;
}

}  // namespace

void log_report(const EncodeReport& report) {
  const auto say = [](std::int64_t count, const char* before, const char* after) {
    if (count > 0) log_info(before + std::to_string(count) + after);
  };
  say(report.long_prompts, "dropped ", " records whose prompt fills max_tokens");
  say(report.no_answer, "dropped ", " records without a token to learn");
  say(report.truncated, "cut ", " completions at max_tokens");
}

EncodedData encode(const Dataset& dataset, const Tokenizer& tokenizer, const EncodeSettings& given) {
  require_text_alone(dataset);
  EncodeSettings settings = given;
  settings.attribute = score_attribute(dataset, given.attribute);
  std::vector<Encoded> all(dataset.records.size());
  parallel_for(all.size(), 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) all[i] = encode_record(dataset.records[i], i, tokenizer, settings);
  });
  EncodedData data;
  for (Encoded& one : all) {
    data.report.long_prompts += one.fate == Fate::long_prompt;
    data.report.no_answer += one.fate == Fate::no_answer;
    if (one.fate != Fate::kept) continue;
    data.report.truncated += one.truncated;
    data.records.push_back(std::move(one.record));
  }
  data.report.records = static_cast<std::int64_t>(data.records.size());
  if (data.records.empty()) {
    throw DataError({},
                    "no record that fits: " + std::to_string(data.report.long_prompts) +
                        " prompts of data.max_tokens (" + std::to_string(settings.max_tokens) + ") tokens or more, " +
                        std::to_string(data.report.no_answer) + " without an answer",
                    "at least one record", "raise data.max_tokens");
  }
  return data;
}

}  // namespace attune
