// Conversations inside of one text, told apart by markers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/data/formats/draft.h"

namespace attune::formats {

struct TurnMarkers {
  std::string_view user = {}, assistant = {};
  bool leads = false;   // the first turn, the user's, has its marker too
  bool trails = false;  // the text ends with the assistant's marker: what comes next is the answer
};

// The prompt as such a text. Reading never fails on a text: without markers it is one turn of the user's.
void marked_prompt(Entry& entry, std::string_view key, const TurnMarkers& markers, Draft& draft);

inline constexpr TurnMarkers helpsteer_turns{.user = "\n<extra_id_1>User\n", .assistant = "\n<extra_id_1>Assistant\n"};
inline constexpr TurnMarkers transcript_turns{
    .user = "\n\nHuman: ", .assistant = "\n\nAssistant: ", .leads = true, .trails = true};

}  // namespace attune::formats
