#include "attune/train/encode.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/base/threads.h"

namespace attune {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

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

// Splits the sequences of one record into the prompt that they share and what follows.
void share_prompt(std::vector<Sequence>& sequences, TokenRecord& result) {
  std::size_t shared = sequences.front().ids.size();
  for (const Sequence& sequence : sequences) {
    const auto& first = sequences.front().ids;
    const auto limit = std::min({shared, sequence.first_scored(), sequence.ids.size()});
    shared = static_cast<std::size_t>(
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(std::min(limit, first.size())),
                      sequence.ids.begin())
            .first -
        first.begin());
  }
  const auto split = static_cast<std::ptrdiff_t>(shared);
  result.prompt.assign(sequences.front().ids.begin(), sequences.front().ids.begin() + split);
  for (Sequence& sequence : sequences) {
    TokenCompletion completion{{sequence.ids.begin() + split, sequence.ids.end()},
                               {sequence.scored.begin() + split, sequence.scored.end()}};
    if (shared == 0 && !completion.scored.empty()) completion.scored[0] = 0;  // nothing predicts the first token
    result.scored_tokens.push_back(std::count(completion.scored.begin(), completion.scored.end(), 1));
    result.completions.push_back(std::move(completion));
  }
}

// Labels: comparisons, ratings and thumbs of whole completions.
void copy_labels(const Record& record, TokenRecord& result) {
  for (const Pair& pair : pairs(record)) {
    result.preferences.push_back(
        {.chosen = pair.chosen, .rejected = pair.rejected, .margin = pair.strength.value_or(0), .weight = pair.weight});
  }
  const auto obsolete = superseded(record);
  for (std::size_t i = 0; i < record.feedback.size(); ++i) {
    const Feedback& feedback = record.feedback[i];
    const auto* rating = std::get_if<Rating>(&feedback.what);
    if (rating == nullptr || obsolete[i] || feedback.on.completion < 0) continue;
    const auto at = static_cast<std::size_t>(feedback.on.completion);
    if (rating->attribute == "thumb") {
      result.thumbs.resize(record.completions.size(), 0);
      result.thumbs[at] = rating->value > 0 ? 1 : -1;
    } else {
      result.scores.resize(record.completions.size(), none);
      result.scores[at] = rating->value;
    }
  }
}

enum class Fate { kept, long_prompt, no_answer };

struct Encoded {
  Fate fate = Fate::kept;
  TokenRecord record = {};
  std::int64_t truncated = 0;
};

Encoded encode_record(const Record& record, std::size_t row, const Tokenizer& tokenizer,
                      const EncodeSettings& settings) {
  Encoded result;
  const bool plain = is_plain(record);
  std::vector<Sequence> sequences;
  for (const Completion& completion : record.completions) {
    Sequence sequence;
    if (plain) {
      sequence = encode_plain(record, completion, tokenizer);
    } else {
      if (!settings.chat) {
        throw ConfigError({.field = "data.chat_template"}, "conversations and no chat template",
                          "a tokenizer that has one, or data.chat_template");
      }
      ChatTokens tokens = settings.chat(record, completion);
      sequence.ids = std::move(tokens.ids);
      sequence.scored = std::move(tokens.scored);
    }
    const std::size_t answer = sequence.first_scored();
    truncate(sequence, settings.max_tokens);
    result.truncated += sequence.truncated;
    if (answer >= static_cast<std::size_t>(settings.max_tokens)) result.fate = Fate::long_prompt;
    sequences.push_back(std::move(sequence));
  }
  if (sequences.empty()) result.fate = Fate::no_answer;
  if (result.fate != Fate::kept) return result;
  result.record.id = record.id;
  result.record.row = static_cast<std::int64_t>(row);
  share_prompt(sequences, result.record);
  if (std::count(result.record.scored_tokens.begin(), result.record.scored_tokens.end(), 0) > 0) {
    result.fate = Fate::no_answer;
  }
  copy_labels(record, result.record);
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

EncodedData encode(const Dataset& dataset, const Tokenizer& tokenizer, const EncodeSettings& settings) {
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
