// LLMBar: two outputs for an instruction; the label is the number of the better one (Zeng et al. 2023, arXiv
// 2310.07641).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"input", Shape::text}, {"output_1", Shape::text}, {"output_2", Shape::text}, {"label", Shape::integer}};

void map(Entry& row, Draft& draft) {
  draft.question(row, "input");
  draft.answer(row, "output_1");
  draft.answer(row, "output_2");
  draft.numbered_verdict(row, "label", {.first = 1, .second = 2});
}

class LlmBar final : public TwoWayFormat {
 public:
  LlmBar() : TwoWayFormat("llmbar", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, llmbar, LlmBar, .summary = "two outputs for an instruction, one of them better (LLMBar)");

}  // namespace attune::formats
