// GSM8K's model solutions: four models' solutions of a question and whether each is correct (Cobbe et al. 2021, arXiv
// 2110.14168).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"question", Shape::text},          {"ground_truth", Shape::text},
                          {"6b_finetuning", Shape::object},   {"6b_verification", Shape::object},
                          {"175b_finetuning", Shape::object}, {"175b_verification", Shape::object}};

void map(Entry& row, Draft& draft) {
  draft.question(row, "question");
  draft.reference(row, "ground_truth");
  for (const char* model : {"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"}) {
    row.object(model, [&](Entry& item) {
      const std::int32_t answer = draft.answer(item, "solution");
      draft.flag(item, "is_correct", "correct", {.completion = answer});
    });
  }
}

class Gsm8kSolutions final : public TwoWayFormat {
 public:
  Gsm8kSolutions() : TwoWayFormat("gsm8k-solutions", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, gsm8k_solutions, Gsm8kSolutions,
            .summary = "four models' solutions of a question, correct or not (GSM8K, example solutions)");

}  // namespace attune::formats
