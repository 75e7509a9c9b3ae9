// Judgements of answers whose texts stand in another file: answers without text, known by a name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "attune/data/formats/draft.h"

namespace attune::formats {

std::int32_t add_unseen_answer(Draft& draft, std::string name);  // reading
std::string unseen_name(Draft& draft, std::size_t answer);       // writing; refuses an answer that has a text
void unseen_answer(Entry& row, Draft& draft, std::string_view key, std::size_t answer);  // the name's column

// The column `judge` of MT-bench's judgements: [a model, the name of its prompt]. Reading: its number.
std::int32_t judge_and_prompt(Entry& row, Draft& draft);

// Arena-Hard's list `games` about answer 0, the baseline, and answer 1: in the first game the baseline stands as A, in
// the second the other. A judgement is a text, or from version 2 on {"answer": text}; `score` A>>B counts three times.
void arena_hard_games(Entry& row, Draft& draft, std::int32_t judge, bool judgment_is_object);

bool compares_first_two(const Feedback& feedback);  // answer 0 as `a` and answer 1 as `b`

}  // namespace attune::formats
