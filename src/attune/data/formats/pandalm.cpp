// PandaLM's test set: two responses judged by three people, 1 and 2 the better one, 0 a tie (Wang et al. 2023, arXiv
// 2306.05087).
#include "attune/data/formats/instruction.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"instruction", Shape::text},  {"input", Shape::text},         {"response1", Shape::text},
                          {"response2", Shape::text},    {"annotator1", Shape::integer}, {"annotator2", Shape::integer},
                          {"annotator3", Shape::integer}};

void map(Entry& row, Draft& draft) {
  instruction_and_input(row, draft);
  draft.answer(row, "response1");
  draft.answer(row, "response2");
  for (const char* who : {"annotator1", "annotator2", "annotator3"}) {
    const std::int32_t person = draft.annotator({.kind = Annotator::human, .id = who});
    draft.numbered_verdict(row, who, {.first = 1, .second = 2, .tie = 0}, person);
  }
}

class PandaLm final : public TwoWayFormat {
 public:
  PandaLm() : TwoWayFormat("pandalm", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, pandalm, PandaLm, .summary = "two responses judged by three people (PandaLM)");

}  // namespace attune::formats
