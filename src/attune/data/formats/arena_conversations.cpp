// Chatbot Arena conversations, the first generation: two models' conversations and a visitor's vote (Zheng et al. 2023,
// arXiv 2306.05685).
#include "attune/data/formats/two_way.h"
#include "attune/data/formats/votes.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"question_id", Shape::any},
                          {"model_a", Shape::text},
                          {"model_b", Shape::text},
                          {"winner", Shape::text},
                          {"judge", Shape::text},
                          {"conversation_a", Shape::objects},
                          {"conversation_b", Shape::objects},
                          {"tstamp", Shape::number}};

constexpr OutcomeWord words[] = {
    {"model_a", Outcome::a}, {"model_b", Outcome::b}, {"tie", Outcome::tie}, {"tie (bothbad)", Outcome::both_bad}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "question_id");
  voted_conversations(row, words, draft);
}

class ArenaConversations final : public TwoWayFormat {
 public:
  ArenaConversations() : TwoWayFormat("arena-conversations", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, arena_conversations, ArenaConversations,
            .summary = "two models' conversations and a visitor's vote (Chatbot Arena, 33k)");

}  // namespace attune::formats
