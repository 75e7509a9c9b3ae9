// A column that says whether somebody liked an answer.
#pragma once

#include "attune/data/formats/draft.h"

namespace attune::formats {

// The column as a rating of the attribute "thumb": 1 liked, 0 not.
void thumb(Entry& row, std::string_view key, std::int32_t answer, Draft& draft);

}  // namespace attune::formats
