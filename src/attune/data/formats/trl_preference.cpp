// TRL's preference rows: prompt, chosen, rejected as texts or as message lists; without a prompt of the same form the
// prompt is what both answers begin with (trl/data_utils.py, extract_prompt).
#include <algorithm>
#include <iterator>

#include "attune/data/formats/columns.h"
#include "attune/data/formats/messages.h"

namespace attune::formats {
namespace {

constexpr std::string_view own_name = "trl-preference";

// Length of what two texts begin with, after TRL: counted in characters, a space before the difference goes with the
// answers, and when one text begins with the whole other the last character stays with the answers. (TRL's rule reads
// the text's last character when the very first ones differ; here nothing is shared then.)
std::size_t common_prompt(std::string_view a, std::string_view b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t end = 0;
  while (end < shorter && a[end] == b[end]) ++end;
  const auto inside_character = [&](std::size_t i) {
    return i < a.size() && (static_cast<unsigned char>(a[i]) & 0xC0) == 0x80;
  };
  if (end == shorter) {
    if (end == 0) return 0;
    do --end;
    while (end > 0 && inside_character(end));
    return end;
  }
  while (end > 0 && inside_character(end)) --end;
  if (end > 0 && a[end - 1] == ' ') --end;
  return end;
}

std::size_t common_prompt(const std::vector<Message>& a, const std::vector<Message>& b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t end = 0;
  while (end < shorter && a[end] == b[end]) ++end;
  return end == shorter && end > 0 ? end - 1 : end;
}

struct Parts {
  std::vector<Message> prompt, chosen, rejected;
  bool implicit = false;
};

class TrlPreference final : public Format {
 public:
  double recognises(const Row& row) const override {
    const int answers = (row.value.find("chosen") != nullptr) + (row.value.find("rejected") != nullptr);
    return answers == 2 ? 0.9 : answers * 0.5;
  }

  std::string columns() const override { return "prompt, chosen, rejected"; }

  std::optional<Record> read(const Row& row, RowContext& context) const override {
    Columns columns(row, context);
    const Json* chosen = columns.require("chosen", "a string or a list of messages");
    const Json* rejected = columns.require("rejected", "a string or a list of messages");
    if (context.failed()) return std::nullopt;
    Parts parts;
    if (chosen->is_string() && rejected->is_string()) {
      read_plain(*chosen, *rejected, columns, context, parts);
    } else if (chosen->is_array() && rejected->is_array()) {
      read_conversations(*chosen, *rejected, columns, context, parts);
    } else if (chosen->is_string() || chosen->is_array()) {
      context.fail_type("rejected", *rejected, "the same form as chosen");
    } else {
      context.fail_type("chosen", *chosen, "a string or a list of messages");
    }
    if (context.failed()) return std::nullopt;
    if (parts.chosen == parts.rejected) context.fail("rejected", "the same answer as chosen", "another answer");
    check_answer(parts.chosen, "chosen", context);
    check_answer(parts.rejected, "rejected", context);
    return assemble(std::move(parts), columns, context);
  }

  std::vector<std::string> write(const Record& record, const Dataset& dataset) const override {
    const Json layout = layout_of(record, dataset, own_name);
    const Json* prompt = layout.find("prompt");
    const bool implicit = prompt != nullptr && *prompt == Json("implicit");
    std::vector<std::string> rows;
    for (const Pair& pair : pairs(record)) {
      if (auto row = write_pair(record, pair, implicit, layout)) rows.push_back(*std::move(row));
    }
    return rows;
  }

 private:
  static void read_plain(const Json& chosen, const Json& rejected, Columns& columns, RowContext& context,
                         Parts& parts) {
    std::string a = chosen.string(), b = rejected.string();
    const Json* prompt = columns.take("prompt");
    if (prompt == nullptr || prompt->is_null()) {
      columns.leave("prompt");
      if (a == b) return context.fail("rejected", "the same text as chosen", "another answer");
      const std::size_t end = common_prompt(a, b);
      parts.implicit = true;
      if (end > 0) parts.prompt.push_back(plain_message(a.substr(0, end)));
      a.erase(0, end);
      b.erase(0, end);
    } else if (prompt->is_string()) {
      parts.prompt.push_back(plain_message(prompt->string()));
    } else {
      return context.fail_type("prompt", *prompt, "a string, as chosen is");
    }
    parts.chosen.push_back(plain_message(std::move(a)));
    parts.rejected.push_back(plain_message(std::move(b)));
  }

  static void read_conversations(const Json& chosen, const Json& rejected, Columns& columns, RowContext& context,
                                 Parts& parts) {
    parts.chosen = read_messages(chosen, columns.raw("chosen"), "chosen", context);
    parts.rejected = read_messages(rejected, columns.raw("rejected"), "rejected", context);
    const Json* prompt = columns.take("prompt");
    if (prompt != nullptr && prompt->is_array()) {
      parts.prompt = read_messages(*prompt, columns.raw("prompt"), "prompt", context);
      return;
    }
    // A text beside message lists repeats what they begin with: TRL takes the prompt from the lists.
    columns.leave("prompt");
    if (prompt != nullptr && !prompt->is_string() && !prompt->is_null()) {
      context.fail_type("prompt", *prompt, "a list of messages or a string");
    }
    if (context.failed()) return;
    if (parts.chosen == parts.rejected)
      return context.fail("rejected", "the same messages as chosen", "another answer");
    const std::size_t end = common_prompt(parts.chosen, parts.rejected);
    if (end == 0) return context.fail("rejected", "a first message unlike that of chosen", "the same prompt in both");
    parts.implicit = true;
    const auto shared_end = parts.chosen.begin() + static_cast<std::ptrdiff_t>(end);
    parts.prompt.assign(std::move_iterator(parts.chosen.begin()), std::move_iterator(shared_end));
    parts.chosen.erase(parts.chosen.begin(), shared_end);
    parts.rejected.erase(parts.rejected.begin(), parts.rejected.begin() + static_cast<std::ptrdiff_t>(end));
  }

  // A column that is a text and not empty; others travel unparsed.
  static std::string text_column(std::string_view key, Columns& columns) {
    const Json* value = columns.take(key);
    if (value != nullptr && value->is_string() && !value->string().empty()) return value->string();
    if (value != nullptr) columns.leave(key);
    return {};
  }

  static std::optional<Record> assemble(Parts parts, Columns& columns, RowContext& context) {
    Record record;
    const std::int32_t after = append_chain(record, -1, std::move(parts.prompt));
    record.completions.push_back({after, append_chain(record, after, std::move(parts.chosen))});
    record.completions.push_back({after, append_chain(record, after, std::move(parts.rejected))});
    Comparison comparison{.a = {.completion = 0}, .b = {.completion = 1}, .outcome = Outcome::a};
    comparison.strength = columns.number("margin");
    record.feedback.push_back({.what = comparison, .why = text_column("rationale", columns)});
    record.answer = text_column("reference", columns);
    const char* scores[] = {"score_chosen", "score_rejected"};
    for (std::int32_t i = 0; i < 2; ++i) {
      const auto score = columns.number(scores[i]);
      if (score) record.feedback.push_back({.what = Rating{"score", *score}, .on = {.completion = i}});
    }
    columns.finish(record, Json::object({{"prompt", parts.implicit ? "implicit" : "explicit"}}));
    if (context.failed()) return std::nullopt;
    return record;
  }

  static std::optional<std::string> write_pair(const Record& record, const Pair& pair, bool implicit,
                                               const Json& layout) {
    const Completion& chosen = record.completions[pair.chosen];
    const Completion& rejected = record.completions[pair.rejected];
    if (chosen.after != rejected.after) return std::nullopt;
    const Form form = form_of(path_to(record, chosen.last));
    if (form == Form::mixed || form_of(path_to(record, rejected.last)) != form) return std::nullopt;
    RowText row;
    if (!implicit) row.set("prompt", write_column(prompt_messages(record, chosen), form));
    const auto answer = [&](const Completion& completion) {
      return implicit ? path_to(record, completion.last) : completion_messages(record, completion);
    };
    row.set("chosen", write_column(answer(chosen), form));
    row.set("rejected", write_column(answer(rejected), form));
    if (pair.strength) row.set("margin", Json(*pair.strength).str());
    const std::string& why = record.feedback[static_cast<std::size_t>(pair.feedback)].why;
    if (!why.empty()) row.set("rationale", Json(why).str());
    if (!record.answer.empty()) row.set("reference", Json(record.answer).str());
    for (const Feedback& feedback : record.feedback) {
      const auto* rating = std::get_if<Rating>(&feedback.what);
      if (rating == nullptr || rating->attribute != "score") continue;
      if (feedback.on.completion == pair.chosen) row.set("score_chosen", Json(rating->value).str());
      if (feedback.on.completion == pair.rejected) row.set("score_rejected", Json(rating->value).str());
    }
    return row.finish(record, layout);
  }
};

}  // namespace

ATTUNE_PART(Format, trl_preference, TrlPreference,
            .summary = "prompt, chosen and rejected as texts or message lists (TRL)");

}  // namespace attune::formats
