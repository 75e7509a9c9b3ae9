// HelpSteer2-Preference: two answers, how much better one is (-3 to 3, below 0 the first), and every rater's strength
// and reasons (Wang et al. 2024, arXiv 2410.01257). The agreed strength is the comparison; what single raters said are
// ratings, so that nothing counts twice.
#include "attune/data/formats/turns.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"prompt", Shape::text},
                          {"response_1", Shape::text},
                          {"response_2", Shape::text},
                          {"preference_strength", Shape::number}};

// What one rater said: a strength with a reason.
bool strength(Entry& item, std::size_t rater, Feedback& feedback, Draft& draft) {
  std::optional<double> value;
  if (!draft.reading()) value = std::get<Rating>(feedback.what).value;
  item.optional_text("statement", feedback.why);
  item.integer("strength", value);
  item.rest(feedback.extra_json);
  if (!draft.reading() || !value) return false;
  if (*value < -3 || *value > 3) item.fail("strength", "a value outside of its scale", "-3 to 3");
  feedback.what = Rating{"preference", *value, draft.scale({.name = "preference", .low = -3, .high = 3})};
  feedback.on = {.completion = 1};
  feedback.annotator = draft.annotator({.kind = Annotator::crowd, .id = "rater-" + std::to_string(rater + 1)});
  return true;
}

void map(Entry& row, Draft& draft) {
  marked_prompt(row, "prompt", helpsteer_turns, draft);
  draft.answer(row, "response_1");
  draft.answer(row, "response_2");
  draft.signed_verdict(row, "preference_strength");
  const auto is = [](const Feedback& feedback) {
    const auto* rating = std::get_if<Rating>(&feedback.what);
    return rating != nullptr && rating->attribute == "preference";
  };
  constexpr const char* list = "all_preferences_unprocessed";
  const std::size_t count = draft.reading() ? 0 : draft.count(is);
  if (draft.reading() ? row.in(list) == nullptr : count == 0) return;
  row.list(list, count, [&](Entry& item, std::size_t rater) {
    draft.opinion(is, [&](Feedback& feedback) { return strength(item, rater, feedback, draft); });
  });
}

class HelpSteer2Preference final : public TwoWayFormat {
 public:
  HelpSteer2Preference() : TwoWayFormat("helpsteer2-preference", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, helpsteer2_preference, HelpSteer2Preference,
            .summary = "two answers with a strength of preference from -3 to 3 and every rater's reasons (HelpSteer2)");

}  // namespace attune::formats
