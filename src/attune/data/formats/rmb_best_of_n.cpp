// RMB, best of n: a conversation with the best answer and those it beats (Zhou et al. 2024, arXiv 2410.09893).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"bon_uid", Shape::text},
                          {"conversation_input", Shape::list},
                          {"bon_best", Shape::object},
                          {"loser_list", Shape::objects}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "bon_uid");
  draft.conversation(row, "conversation_input");
  const auto answer = [&](Entry& item) { draft.speaker(item, "llm_name", draft.answer(item, "answer")); };
  row.object("bon_best", answer);
  const std::size_t losers = draft.answers() > 0 ? draft.answers() - 1 : 0;
  row.list("loser_list", losers, [&](Entry& item, std::size_t) { answer(item); });
  for (std::size_t i = 1; i < draft.answers(); ++i) draft.prefers(0, static_cast<std::int32_t>(i));
}

class RmbBestOfN final : public TwoWayFormat {
 public:
  RmbBestOfN() : TwoWayFormat("rmb-best-of-n", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, rmb_best_of_n, RmbBestOfN,
            .summary = "a conversation with a best answer and its losers (RMB, best of n)");

}  // namespace attune::formats
