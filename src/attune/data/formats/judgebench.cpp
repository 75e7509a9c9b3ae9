// JudgeBench: two answers to a hard question, one of them right (Tan et al. 2024, arXiv 2410.12784).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"pair_id", Shape::text},
                          {"question", Shape::text},
                          {"response_A", Shape::text},
                          {"response_B", Shape::text},
                          {"label", Shape::text}};

constexpr OutcomeWord words[] = {{"A>B", Outcome::a}, {"B>A", Outcome::b}, {"A=B", Outcome::tie}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "pair_id");
  draft.question(row, "question");
  draft.answer(row, "response_A");
  draft.answer(row, "response_B");
  draft.verdict(row, "label", words);
}

class JudgeBench final : public TwoWayFormat {
 public:
  JudgeBench() : TwoWayFormat("judgebench", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, judgebench, JudgeBench,
            .summary = "two answers to a hard question, one of them right (JudgeBench)");

}  // namespace attune::formats
