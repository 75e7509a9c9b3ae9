// XSTest's prompts: safe ones that look unsafe, and unsafe ones to tell them from (Roettger et al. 2024, arXiv
// 2308.01263).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"id", Shape::any}, {"prompt", Shape::text}, {"type", Shape::text}, {"label", Shape::text}, {"focus", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "id");
  draft.question(row, "prompt");
}

class XsTestPrompts final : public TwoWayFormat {
 public:
  XsTestPrompts() : TwoWayFormat("xstest-prompts", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, xstest_prompts, XsTestPrompts, .summary = "prompts that are safe or only look unsafe (XSTest)");

}  // namespace attune::formats
