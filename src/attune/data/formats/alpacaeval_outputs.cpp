// AlpacaEval's model outputs: an instruction and what one model answered (Li et al. 2023).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"instruction", Shape::text}, {"output", Shape::text}, {"generator", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.question(row, "instruction");
  draft.speaker(row, "generator", draft.answer(row, "output"));
}

class AlpacaEvalOutputs final : public TwoWayFormat {
 public:
  AlpacaEvalOutputs() : TwoWayFormat("alpacaeval-outputs", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, alpacaeval_outputs, AlpacaEvalOutputs,
            .summary = "an instruction and one model's output (AlpacaEval outputs)");

}  // namespace attune::formats
