// UKPConvArg1's pairs by the arguments' ids, with the gold label where there is one (Habernal and Gurevych 2016, ACL).
#include "attune/data/formats/two_way.h"
#include "attune/data/formats/unseen.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"pair", Shape::text}, {"topic", Shape::text}, {"arg1", Shape::text}, {"arg2", Shape::text}};

constexpr OutcomeWord words[] = {{"a1", Outcome::a}, {"a2", Outcome::b}, {"equal", Outcome::tie}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "pair");
  draft.context(row, "topic");
  unseen_answer(row, draft, "arg1", 0);
  unseen_answer(row, draft, "arg2", 1);
  draft.verdict(row, "goldLabel", words);
}

class UkpConvArg1Pairs final : public TwoWayFormat {
 public:
  UkpConvArg1Pairs() : TwoWayFormat("ukpconvarg1-pairs", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, ukpconvarg1_pairs, UkpConvArg1Pairs,
            .summary = "two arguments by their ids and the gold label (UKPConvArg1, pairs)");

}  // namespace attune::formats
