// HH-RLHF rows: two whole transcripts, "\n\nHuman: ...\n\nAssistant: ...", that share everything before the last answer
// (Bai et al. 2022, arXiv 2204.05862).
#include <algorithm>

#include "attune/data/formats/columns.h"
#include "attune/data/formats/messages.h"

namespace attune::formats {
namespace {

constexpr std::string_view own_name = "hh-rlhf";
constexpr std::string_view human = "\n\nHuman:", assistant = "\n\nAssistant:";

bool is_transcript(const Json* value) {
  return value != nullptr && value->is_string() && value->string().starts_with(human);
}

// One turn: its speaker, and what follows the colon. A blank behind the colon belongs to the marker; turns without it
// are marked in Message::extra_json, so that every transcript comes back as it was.
Message turn(Role role, std::string_view text) {
  Message message{.role = role};
  if (text.starts_with(' ')) {
    text.remove_prefix(1);
  } else {
    message.extra_json = R"({"blank_after_colon":false})";
  }
  message.content.push_back({.text = std::string(text)});
  return message;
}

// Splits a transcript at its markers; it begins with one.
std::vector<Message> turns_of(std::string_view transcript) {
  std::vector<Message> turns;
  while (!transcript.empty()) {
    const Role role = transcript.starts_with(human) ? Role::user : Role::assistant;
    transcript.remove_prefix(role == Role::user ? human.size() : assistant.size());
    const std::size_t end = std::min({transcript.find(human), transcript.find(assistant), transcript.size()});
    turns.push_back(turn(role, transcript.substr(0, end)));
    transcript.remove_prefix(end);
  }
  return turns;
}

std::optional<std::string> transcript_of(const std::vector<const Message*>& turns) {
  std::string text;
  for (const Message* message : turns) {
    if (message->role != Role::user && message->role != Role::assistant) return std::nullopt;
    text += message->role == Role::user ? human : assistant;
    if (raw_member(message->extra_json, "blank_after_colon") != "false") text += ' ';
    text += text_of(*message);
  }
  return text;
}

class HhRlhf final : public Format {
 public:
  double recognises(const Row& row) const override {
    if (row.value.find("prompt") != nullptr) return 0;
    return (is_transcript(row.value.find("chosen")) ? 0.5 : 0) + (is_transcript(row.value.find("rejected")) ? 0.5 : 0);
  }

  std::string columns() const override { return "chosen, rejected (transcripts)"; }

  std::optional<Record> read(const Row& row, RowContext& context) const override {
    Columns columns(row, context);
    const std::vector<Message> chosen = read_turns("chosen", columns, context);
    const std::vector<Message> rejected = read_turns("rejected", columns, context);
    if (context.failed()) return std::nullopt;
    if (chosen.size() != rejected.size() || !std::equal(chosen.begin(), chosen.end() - 1, rejected.begin())) {
      context.fail("rejected", "a prompt unlike that of chosen", "transcripts that differ in their last answer only");
      return std::nullopt;
    }
    if (chosen.back() == rejected.back()) context.fail("rejected", "the same transcript as chosen", "another answer");
    check_answer({chosen.back()}, "chosen", context);
    check_answer({rejected.back()}, "rejected", context);
    if (context.failed()) return std::nullopt;
    Record record;
    const std::int32_t after = append_chain(record, -1, {chosen.begin(), chosen.end() - 1});
    record.completions.push_back({after, append_chain(record, after, {chosen.back()})});
    record.completions.push_back({after, append_chain(record, after, {rejected.back()})});
    record.feedback.push_back({.what = Comparison{{.completion = 0}, {.completion = 1}, Outcome::a}});
    columns.finish(record);
    if (context.failed()) return std::nullopt;
    return record;
  }

  std::vector<std::string> write(const Record& record, const Dataset& dataset) const override {
    std::vector<std::string> rows;
    for (const Pair& pair : pairs(record)) {
      const auto chosen = transcript_of(path_to(record, record.completions[pair.chosen].last));
      const auto rejected = transcript_of(path_to(record, record.completions[pair.rejected].last));
      if (!chosen || !rejected) continue;
      RowText row;
      row.set("chosen", json_quote(*chosen));
      row.set("rejected", json_quote(*rejected));
      rows.push_back(row.finish(record, layout_of(record, dataset, own_name)));
    }
    return rows;
  }

 private:
  static std::vector<Message> read_turns(const char* key, Columns& columns, RowContext& context) {
    const Json* value = columns.require(key, "a transcript");
    if (value == nullptr) return {};
    if (!value->is_string()) {
      context.fail_type(key, *value, "a transcript");
      return {};
    }
    if (!is_transcript(value)) {
      context.fail(key, "a text that does not begin with \"\\n\\nHuman:\"", "a transcript");
      return {};
    }
    std::vector<Message> turns = turns_of(value->string());
    if (turns.back().role != Role::assistant) context.fail(key, "a last turn that is not the assistant's", "an answer");
    for (std::size_t i = 1; i < turns.size(); ++i) {
      if (turns[i].role == turns[i - 1].role) {
        context.note("two turns of one speaker in a row");
        break;
      }
    }
    return turns;
  }
};

}  // namespace

ATTUNE_PART(Format, hh_rlhf, HhRlhf, .summary = "pairs of whole transcripts with Human and Assistant turns (HH-RLHF)");

}  // namespace attune::formats
