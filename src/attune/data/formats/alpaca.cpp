// Alpaca: an instruction, an input that may be empty, and an output to learn (Taori et al. 2023). The user's message is
// the instruction, and the input as a second part of it.
#include "attune/data/formats/instruction.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"instruction", Shape::text}, {"input", Shape::text}, {"output", Shape::text}};

void map(Entry& row, Draft& draft) {
  instruction_and_input(row, draft);
  draft.answer(row, "output");
}

class Alpaca final : public TwoWayFormat {
 public:
  Alpaca() : TwoWayFormat("alpaca", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, alpaca, Alpaca, .summary = "an instruction with an input and the output to learn (Alpaca)");

}  // namespace attune::formats
