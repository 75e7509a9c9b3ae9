// Conversations with one thumb: `messages` and `label`, true where the last answer is liked (Ethayarajh et al. 2024,
// arXiv 2402.01306).
#include "attune/data/formats/thumb.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"messages", Shape::objects}, {"label", Shape::boolean}};

void map(Entry& row, Draft& draft) {
  const std::int32_t answer = draft.transcript(row, "messages");
  thumb(row, "label", answer, draft);
}

class KtoMessages final : public TwoWayFormat {
 public:
  KtoMessages() : TwoWayFormat("kto-messages", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, kto_messages, KtoMessages, .summary = "conversations with a thumb in the column label (KTO)");

}  // namespace attune::formats
