// MT-bench's human judgements: two models' conversations on a question and an expert's vote (Zheng et al. 2023, arXiv
// 2306.05685).
#include "attune/data/formats/two_way.h"
#include "attune/data/formats/votes.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"question_id", Shape::any},       {"model_a", Shape::text}, {"model_b", Shape::text},
    {"winner", Shape::text},           {"judge", Shape::text},   {"conversation_a", Shape::objects},
    {"conversation_b", Shape::objects}};

constexpr OutcomeWord words[] = {
    {"model_a", Outcome::a}, {"model_b", Outcome::b}, {"tie", Outcome::tie}, {"tie (bothbad)", Outcome::both_bad}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "question_id");
  voted_conversations(row, words, draft);
}

class MtBenchHuman final : public TwoWayFormat {
 public:
  MtBenchHuman() : TwoWayFormat("mt-bench-human", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, mt_bench_human, MtBenchHuman,
            .summary = "two models' conversations and an expert's vote (MT-bench, human judgements)");

}  // namespace attune::formats
