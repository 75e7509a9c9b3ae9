#include "attune/data/formats/votes.h"

namespace attune::formats {

void voted_conversations(Entry& row, std::span<const OutcomeWord> words, Draft& draft) {
  const std::int32_t a = draft.transcript(row, "conversation_a"), b = draft.transcript(row, "conversation_b");
  draft.speaker(row, "model_a", a);
  draft.speaker(row, "model_b", b);
  const std::int32_t judge = draft.judge(row, "judge");
  draft.verdict(row, "winner", words, judge);
}

}  // namespace attune::formats
