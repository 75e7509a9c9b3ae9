// BBQ: a question about people with three answers, one of them right (Parrish et al. 2022, arXiv 2110.08193). The right
// one bears the label "correct".
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"context", Shape::text}, {"question", Shape::text}, {"ans0", Shape::text},
                          {"ans1", Shape::text},    {"ans2", Shape::text},     {"label", Shape::integer}};

void map(Entry& row, Draft& draft) {
  draft.question(row, "question");
  draft.context(row, "context");
  for (const char* key : {"ans0", "ans1", "ans2"}) draft.answer(row, key);
  const auto is = [](const Feedback& feedback) { return feedback.what == Judgement(Label{"correct", "true"}); };
  draft.opinion(is, [&](Feedback& feedback) {
    std::optional<double> value;
    if (!draft.reading()) value = feedback.on.completion;
    row.integer("label", value);
    if (!draft.reading() || !value) return false;
    if (*value != 0 && *value != 1 && *value != 2) row.fail("label", "a number that names no answer", "0, 1 or 2");
    feedback.what = Label{"correct", "true"};
    feedback.on = {.completion = static_cast<std::int32_t>(*value)};
    return true;
  });
}

class Bbq final : public TwoWayFormat {
 public:
  Bbq() : TwoWayFormat("bbq", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, bbq, Bbq, .summary = "a question with three answers, one of them right (BBQ)");

}  // namespace attune::formats
