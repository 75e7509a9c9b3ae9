// Arenas: two models' whole conversations and a vote.
#pragma once

#include <span>

#include "attune/data/formats/draft.h"

namespace attune::formats {

// The columns `conversation_a`, `conversation_b`, `model_a`, `model_b`, `winner` and, where there is one, `judge`.
void voted_conversations(Entry& row, std::span<const OutcomeWord> words, Draft& draft);

}  // namespace attune::formats
