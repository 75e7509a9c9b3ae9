// UKPConvArg1, ranking: one argument and its place by PageRank over the pairs (Habernal and Gurevych 2016, ACL).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"#id", Shape::text}, {"rank", Shape::number}, {"argument", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "#id");
  const std::int32_t argument = draft.answer(row, "argument");
  draft.rating(row, "rank", {.attribute = "rank", .on = {.completion = argument}});
}

class UkpConvArg1Rank final : public TwoWayFormat {
 public:
  UkpConvArg1Rank() : TwoWayFormat("ukpconvarg1-rank", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, ukpconvarg1_rank, UkpConvArg1Rank,
            .summary = "an argument and its rank by convincingness (UKPConvArg1, ranking)");

}  // namespace attune::formats
