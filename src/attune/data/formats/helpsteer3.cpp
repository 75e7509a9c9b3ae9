// HelpSteer3: two answers to a conversation, the overall preference (-3 to 3, below 0 the first), and every rater's
// score, reasons and remarks on each answer (Wang et al. 2025, arXiv 2505.11475). The overall preference is the
// comparison; what single raters said are ratings, so that nothing counts twice.
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"context", Shape::list},
                          {"response1", Shape::text},
                          {"response2", Shape::text},
                          {"overall_preference", Shape::number}};

bool score(Entry& item, std::int32_t rater, Feedback& feedback, Draft& draft) {
  std::optional<double> value;
  if (!draft.reading()) value = std::get<Rating>(feedback.what).value;
  item.integer("score", value);
  item.optional_text("reasoning", feedback.why);
  if (!draft.reading() || !value) return false;
  if (*value < -3 || *value > 3) item.fail("score", "a value outside of its scale", "-3 to 3");
  feedback.what = Rating{"preference", *value, draft.scale({.name = "preference", .low = -3, .high = 3})};
  feedback.on = {.completion = 1};
  feedback.annotator = rater;
  return true;
}

void map(Entry& row, Draft& draft) {
  draft.conversation(row, "context");
  draft.answer(row, "response1");
  draft.answer(row, "response2");
  draft.signed_verdict(row, "overall_preference");
  const auto is = [](const Feedback& feedback) {
    const auto* rating = std::get_if<Rating>(&feedback.what);
    return rating != nullptr && rating->attribute == "preference";
  };
  constexpr const char* list = "individual_preference";
  const std::size_t count = draft.reading() ? 0 : draft.count(is);
  if (draft.reading() ? row.in(list) == nullptr : count == 0) return;
  row.list(list, count, [&](Entry& item, std::size_t number) {
    const std::int32_t rater = draft.annotator({.kind = Annotator::crowd, .id = "rater-" + std::to_string(number + 1)});
    draft.opinion(is, [&](Feedback& feedback) { return score(item, rater, feedback, draft); });
    draft.critique(item, "feedback1", {.completion = 0}, rater);
    draft.critique(item, "feedback2", {.completion = 1}, rater);
  });
}

class HelpSteer3 final : public TwoWayFormat {
 public:
  HelpSteer3() : TwoWayFormat("helpsteer3", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, helpsteer3, HelpSteer3,
            .summary = "two answers to a conversation with raters' scores, reasons and remarks (HelpSteer3)");

}  // namespace attune::formats
