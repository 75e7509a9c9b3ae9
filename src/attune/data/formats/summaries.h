// What both files of summarize-from-feedback share (Stiennon et al. 2020, arXiv 2009.01325).
#pragma once

#include "attune/data/formats/draft.h"

namespace attune::formats {

// The column `info`: the post or article as the prompt, what else is known of it with the message.
void text_to_summarise(Entry& row, Draft& draft);

// One summary as the next answer, by its policy; what else is known of it stays with its message.
std::int32_t summary_text(Entry& summary, Draft& draft);
void summary_rest(Entry& summary, std::int32_t answer, Draft& draft);

}  // namespace attune::formats
