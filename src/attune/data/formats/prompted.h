// The columns `prompt` and `completion`, which several formats share.
#pragma once

#include <cstdint>
#include <vector>

#include "attune/data/formats/columns.h"

namespace attune::formats {

// A record with one prompt and one completion of the same form. Problems go to the context.
Record read_prompted(Columns& columns, RowContext& context);

// The prompt alone: nodes without a completion; the last node, or -1.
std::int32_t read_prompt(Columns& columns, RowContext& context, Record& record);

// Sets both columns; false when the path mixes plain text and messages.
bool set_prompted(RowText& row, const Record& record, const Completion& completion);

// The completions worth imitating: those some comparison chose, each once; all of them where nothing was compared.
std::vector<std::int32_t> answers_to_learn(const Record& record);

}  // namespace attune::formats
