// RMB, pairs: a conversation with a chosen and a rejected answer (Zhou et al. 2024, arXiv 2410.09893).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"pair_uid", Shape::text},
                          {"conversation_input", Shape::list},
                          {"chosen", Shape::object},
                          {"reject", Shape::object}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "pair_uid");
  draft.conversation(row, "conversation_input");
  for (const char* key : {"chosen", "reject"}) {
    row.object(key, [&](Entry& item) { draft.speaker(item, "llm_name", draft.answer(item, "answer")); });
  }
  draft.prefers(0, 1);
}

class RmbPairwise final : public TwoWayFormat {
 public:
  RmbPairwise() : TwoWayFormat("rmb-pairwise", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, rmb_pairwise, RmbPairwise,
            .summary = "a conversation with a chosen and a rejected answer (RMB, pairs)");

}  // namespace attune::formats
