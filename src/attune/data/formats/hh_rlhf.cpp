// HH-RLHF rows: two whole transcripts, "\n\nHuman: ...\n\nAssistant: ...", that share everything before the last answer
// (Bai et al. 2022, arXiv 2204.05862).
#include <algorithm>
#include <span>

#include "attune/data/formats/columns.h"
#include "attune/data/formats/messages.h"

namespace attune::formats {
namespace {

constexpr std::string_view own_name = "hh-rlhf";
constexpr std::string_view human = "\n\nHuman:", assistant = "\n\nAssistant:";

bool is_transcript(const Json* value) {
  return value != nullptr && value->is_string() && value->string().starts_with(human);
}

// One turn of a transcript: its speaker, and what follows the colon. A blank behind the colon belongs to the marker;
// turns without it are marked in Message::extra_json, so that every transcript comes back as it was.
struct Turn {
  Role role = Role::user;
  bool blank_after_colon = true;
  std::string_view text = {};
  bool operator==(const Turn&) const = default;
};

Message message_of(const Turn& turn) {
  Message message = {.role = turn.role};
  if (!turn.blank_after_colon) message.extra_json = R"({"blank_after_colon":false})";
  message.content.emplace_back().text = turn.text;
  return message;
}

// Where the next marker begins, or the end.
std::size_t next_marker(std::string_view text) {
  std::size_t at = text.find("\n\n");
  while (at != text.npos && !text.substr(at).starts_with(human) && !text.substr(at).starts_with(assistant)) {
    at = text.find("\n\n", at + 1);
  }
  return std::min(at, text.size());
}

// Splits a transcript, which begins with a marker, into views of it.
std::vector<Turn> turns_of(std::string_view transcript) {
  std::vector<Turn> turns;
  while (!transcript.empty()) {
    const Role role = transcript.starts_with(human) ? Role::user : Role::assistant;
    transcript.remove_prefix(role == Role::user ? human.size() : assistant.size());
    const bool blank = transcript.starts_with(' ');
    if (blank) transcript.remove_prefix(1);
    const std::size_t end = next_marker(transcript);
    turns.push_back({role, blank, transcript.substr(0, end)});
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
    const std::vector<Turn> chosen = read_turns("chosen", columns, context);
    const std::vector<Turn> rejected = read_turns("rejected", columns, context);
    if (context.failed()) return std::nullopt;
    if (chosen.size() != rejected.size() || !std::equal(chosen.begin(), chosen.end() - 1, rejected.begin())) {
      context.fail("rejected", "a prompt unlike that of chosen", "transcripts that differ in their last answer only");
      return std::nullopt;
    }
    if (chosen.back() == rejected.back()) context.fail("rejected", "the same transcript as chosen", "another answer");
    std::vector<Message> good, bad;
    good.push_back(message_of(chosen.back()));
    bad.push_back(message_of(rejected.back()));
    check_answer(good, "chosen", context);
    check_answer(bad, "rejected", context);
    if (context.failed()) return std::nullopt;
    Record record;
    record.nodes.reserve(chosen.size() + 1);
    std::int32_t after = -1;
    for (const Turn& turn : std::span(chosen).first(chosen.size() - 1)) {
      record.nodes.push_back({.parent = after, .message = message_of(turn)});
      ++after;
    }
    record.completions.push_back({after, append_chain(record, after, std::move(good))});
    record.completions.push_back({after, append_chain(record, after, std::move(bad))});
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
  static std::vector<Turn> read_turns(const char* key, Columns& columns, RowContext& context) {
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
    const std::vector<Turn> turns = turns_of(value->string());
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
