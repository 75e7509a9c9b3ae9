// SHP: two replies to a post and which one readers voted up more (Ethayarajh et al. 2022, arXiv 2110.08420).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"history", Shape::text},   {"human_ref_A", Shape::text}, {"human_ref_B", Shape::text},
                          {"labels", Shape::integer}, {"score_A", Shape::integer},  {"score_B", Shape::integer}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "post_id");
  draft.question(row, "history");
  const std::int32_t a = draft.answer(row, "human_ref_A"), b = draft.answer(row, "human_ref_B");
  draft.numbered_verdict(row, "labels", {.first = 1, .second = 0});
  draft.rating(row, "score_A", {.attribute = "score", .on = {.completion = a}});
  draft.rating(row, "score_B", {.attribute = "score", .on = {.completion = b}});
}

class Shp final : public TwoWayFormat {
 public:
  Shp() : TwoWayFormat("shp", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, shp, Shp, .summary = "two replies to a post with their votes (SHP)");

}  // namespace attune::formats
