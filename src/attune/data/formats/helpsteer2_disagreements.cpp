// HelpSteer2's disagreement file: the same five attributes, each as the list of what the raters said (arXiv
// 2406.08673).
#include "attune/data/formats/turns.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"prompt", Shape::text},      {"response", Shape::text},  {"helpfulness", Shape::list},
                          {"correctness", Shape::list}, {"coherence", Shape::list}, {"complexity", Shape::list},
                          {"verbosity", Shape::list}};

// The raters are numbered in the order of the list; who a number is changes from row to row.
Annotator rater(std::size_t number) { return {.kind = Annotator::crowd, .id = "rater-" + std::to_string(number + 1)}; }

void ratings(Entry& row, const char* attribute, const Target& on, Draft& draft) {
  const auto is = [&](const Feedback& feedback) {
    const auto* rating = std::get_if<Rating>(&feedback.what);
    return rating != nullptr && rating->attribute == attribute && feedback.on == on;
  };
  Json list = Json::array();
  if (draft.reading()) {
    const Json* value = row.in(attribute);
    if (value == nullptr || !value->is_array()) return row.fail(attribute, "no list", "a list of ratings");
    list = *value;
  }
  const std::size_t count = draft.reading() ? list.size() : draft.count(is);
  for (std::size_t i = 0; i < count; ++i) {
    if (draft.reading() && !list.items()[i].is_number()) return row.fail_type(attribute, list.items()[i], "a number");
    draft.opinion(is, [&](Feedback& feedback) {
      if (!draft.reading()) {
        list.push_back(static_cast<std::int64_t>(std::get<Rating>(feedback.what).value));
        return false;
      }
      const double value = list.items()[i].number();
      if (value < 0 || value > 4) row.fail(attribute, "a value outside of its scale", "0 to 4");
      feedback.what = Rating{attribute, value, draft.scale({.name = "helpsteer", .low = 0, .high = 4})};
      feedback.on = on;
      feedback.annotator = draft.annotator(rater(i));
      return true;
    });
  }
  if (!draft.reading()) row.out(attribute, std::move(list));
}

void map(Entry& row, Draft& draft) {
  marked_prompt(row, "prompt", helpsteer_turns, draft);
  const Target answer{.completion = draft.answer(row, "response")};
  for (const char* attribute : {"helpfulness", "correctness", "coherence", "complexity", "verbosity"}) {
    ratings(row, attribute, answer, draft);
  }
}

class HelpSteer2Disagreements final : public TwoWayFormat {
 public:
  HelpSteer2Disagreements() : TwoWayFormat("helpsteer2-disagreements", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, helpsteer2_disagreements, HelpSteer2Disagreements,
            .summary = "an answer with every rater's rating of five attributes (HelpSteer2, disagreements)");

}  // namespace attune::formats
