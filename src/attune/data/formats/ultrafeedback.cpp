// UltraFeedback: several models' answers to an instruction, rated by GPT-4 on four aspects with rationales (Cui et al.
// 2023, arXiv 2310.01377). Ratings are strings, and "N/A" where an aspect did not apply: that becomes a label.
#include <charconv>

#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"instruction", Shape::text}, {"completions", Shape::objects}};

const Message& last_message(const Record& record, std::int32_t answer) {
  static const Message none;
  if (answer >= std::ssize(record.completions)) return none;
  return record.nodes[static_cast<std::size_t>(record.completions[static_cast<std::size_t>(answer)].last)].message;
}

// A rating as text: a number on the scale from 1 to 5, or a word such as "N/A".
Judgement judgement(const std::string& attribute, const std::string& text, Draft& draft) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= 5;
  if (!whole) return Label{attribute, text};
  return Rating{attribute, value, draft.scale({.name = "ultrafeedback", .low = 1, .high = 5})};
}

std::string spelling(const Judgement& what) {
  if (const auto* label = std::get_if<Label>(&what)) return label->value;
  return std::to_string(static_cast<int>(std::get<Rating>(what).value));
}

void aspect(Entry& annotations, const char* name, std::int32_t answer, std::int32_t judge, Draft& draft) {
  const Target on{.completion = answer};
  const auto is = [&](const Feedback& feedback) {
    const auto* rating = std::get_if<Rating>(&feedback.what);
    const auto* label = std::get_if<Label>(&feedback.what);
    return feedback.on == on &&
           ((rating != nullptr && rating->attribute == name) || (label != nullptr && label->name == name));
  };
  if (!draft.reading() && draft.count(is) == 0) return;
  annotations.object(name, [&](Entry& item) {
    draft.opinion(is, [&](Feedback& feedback) {
      std::string text;
      if (!draft.reading()) text = spelling(feedback.what);
      item.text("Rating", text);
      item.optional_text("Rationale", feedback.why);
      item.rest(feedback.extra_json);
      if (!draft.reading()) return false;
      feedback.what = judgement(name, text, draft);
      feedback.on = on;
      feedback.annotator = judge;
      return true;
    });
  });
}

void map(Entry& row, Draft& draft) {
  draft.question(row, "instruction");
  row.list("completions", draft.answers(), [&](Entry& item, std::size_t) {
    const std::int32_t answer = draft.bare_answer(item, "response");
    draft.speaker(item, "model", answer);
    const std::int32_t judge = draft.annotator({.kind = Annotator::model, .id = "gpt-4"});
    item.object("annotations", [&](Entry& annotations) {
      for (const char* name : {"helpfulness", "honesty", "instruction_following", "truthfulness"}) {
        aspect(annotations, name, answer, judge, draft);
      }
    });
    const Target on{.completion = answer};
    draft.rating(item, "overall_score", {.attribute = "overall_score", .on = on, .annotator = judge, .real = true});
    draft.rating(item, "fine-grained_score",
                 {.attribute = "fine-grained_score", .on = on, .annotator = judge, .real = true});
    draft.critique(item, "critique", on, judge);
    std::string extra = "";
    if (!draft.reading()) extra = last_message(draft.record(), answer).extra_json;
    item.rest(extra);
    if (draft.reading() && answer < std::ssize(draft.record().completions)) {
      draft.filled().nodes.back().message.extra_json = std::move(extra);
    }
  });
}

class UltraFeedback final : public TwoWayFormat {
 public:
  UltraFeedback() : TwoWayFormat("ultrafeedback", signs, map) {}
};

}  // namespace

ATTUNE_PART(
    Format, ultrafeedback, UltraFeedback,
    .summary = "several models' answers with ratings as strings and rationales on four aspects (UltraFeedback)");

}  // namespace attune::formats
