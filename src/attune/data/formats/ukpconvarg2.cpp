// UKPConvArg2: the more and the less convincing argument and the reasons why, as labels o5_1 ... o9_4 (Habernal and
// Gurevych 2016, EMNLP). The published tables have no header; table.h gives them one.
#include <algorithm>

#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"#id", Shape::text}, {"labels", Shape::text}, {"better", Shape::text}, {"worse", Shape::text}};

// The reasons, divided by commas, as labels of the pair.
void reasons(Entry& row, Draft& draft) {
  std::string text;
  for (const Feedback& feedback : draft.record().feedback) {
    const auto* label = std::get_if<Label>(&feedback.what);
    if (label == nullptr || label->name != "reason") continue;
    text += (text.empty() ? "" : ",") + label->value;
  }
  row.text("labels", text);
  if (!draft.reading()) return;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    draft.filled().feedback.push_back({.what = Label{"reason", text.substr(begin, end - begin)}});
    begin = end + 1;
  }
}

void map(Entry& row, Draft& draft) {
  draft.identity(row, "#id");
  const std::int32_t better = draft.answer(row, "better"), worse = draft.answer(row, "worse");
  draft.prefers(better, worse);
  reasons(row, draft);
}

class UkpConvArg2 final : public TwoWayFormat {
 public:
  UkpConvArg2() : TwoWayFormat("ukpconvarg2", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, ukpconvarg2, UkpConvArg2,
            .summary = "a more and a less convincing argument with reasons (UKPConvArg2)");

}  // namespace attune::formats
