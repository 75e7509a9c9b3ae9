// Conversations with one thumb: `messages` and `kto_tag`, true where the last answer is liked (Ethayarajh et al. 2024,
// arXiv 2402.01306).
#include "attune/data/formats/thumb.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"messages", Shape::objects}, {"kto_tag", Shape::boolean}};

void map(Entry& row, Draft& draft) {
  const std::int32_t answer = draft.transcript(row, "messages");
  thumb(row, "kto_tag", answer, draft);
}

class KtoTag final : public TwoWayFormat {
 public:
  KtoTag() : TwoWayFormat("kto-tag", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, kto_tag, KtoTag, .summary = "conversations with a thumb in the column kto_tag (KTO)");

}  // namespace attune::formats
