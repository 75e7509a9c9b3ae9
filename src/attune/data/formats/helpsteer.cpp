// HelpSteer and HelpSteer2: one answer with five ratings from 0 to 4 (Wang et al. 2023, arXiv 2311.09528; 2024,
// arXiv 2406.08673). Prompts of several turns carry markers.
#include "attune/data/formats/turns.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"prompt", Shape::text},        {"response", Shape::text},    {"helpfulness", Shape::number},
                          {"correctness", Shape::number}, {"coherence", Shape::number}, {"complexity", Shape::number},
                          {"verbosity", Shape::number}};

void map(Entry& row, Draft& draft) {
  marked_prompt(row, "prompt", helpsteer_turns, draft);
  const Target answer{.completion = draft.answer(row, "response")};
  const Scale scale{.name = "helpsteer", .low = 0, .high = 4};
  for (const char* attribute : {"helpfulness", "correctness", "coherence", "complexity", "verbosity"}) {
    draft.rating(row, attribute, {.attribute = attribute, .on = answer, .scale = scale});
  }
}

class HelpSteer final : public TwoWayFormat {
 public:
  HelpSteer() : TwoWayFormat("helpsteer", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, helpsteer, HelpSteer,
            .summary = "an answer rated 0 to 4 on five attributes (HelpSteer, HelpSteer2)");

}  // namespace attune::formats
