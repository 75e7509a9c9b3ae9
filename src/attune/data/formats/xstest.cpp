// XSTest's completions: a model's answer to a prompt that is safe or only looks unsafe, labelled by two people; the
// label that was agreed on is the record's (Roettger et al. 2024, arXiv 2308.01263).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"id", Shape::any},          {"type", Shape::text},         {"prompt", Shape::text},
                          {"completion", Shape::text}, {"annotation_1", Shape::text}, {"annotation_2", Shape::text},
                          {"final_label", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "id");
  draft.question(row, "prompt");
  const Target on{.completion = draft.answer(row, "completion")};
  for (const char* who : {"annotation_1", "annotation_2"}) {
    draft.label(row, who, who, on, draft.annotator({.kind = Annotator::human, .id = who}));
  }
  draft.label(row, "final_label", "final_label", on, draft.annotator({.kind = Annotator::crowd, .id = "final_label"}));
}

class XsTest final : public TwoWayFormat {
 public:
  XsTest() : TwoWayFormat("xstest", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, xstest, XsTest, .summary = "answers labelled as complying or refusing by two people (XSTest)");

}  // namespace attune::formats
