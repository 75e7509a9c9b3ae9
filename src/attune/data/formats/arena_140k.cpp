// Chatbot Arena, the third generation (arena-human-preference): conversations whose content is a list of parts, and a
// vote that knows "both are bad" (Chiang et al. 2024, arXiv 2403.04132).
#include "attune/data/formats/two_way.h"
#include "attune/data/formats/votes.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"id", Shape::text},
                          {"model_a", Shape::text},
                          {"model_b", Shape::text},
                          {"winner", Shape::text},
                          {"conversation_a", Shape::objects},
                          {"conversation_b", Shape::objects},
                          {"evaluation_session_id", Shape::text}};

constexpr OutcomeWord words[] = {
    {"model_a", Outcome::a}, {"model_b", Outcome::b}, {"tie", Outcome::tie}, {"both_bad", Outcome::both_bad}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "id");
  voted_conversations(row, words, draft);
}

class Arena140k final : public TwoWayFormat {
 public:
  Arena140k() : TwoWayFormat("arena-140k", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, arena_140k, Arena140k,
            .summary = "two models' conversations in parts and a vote (Chatbot Arena, 140k)");

}  // namespace attune::formats
