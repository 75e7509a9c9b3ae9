// What a reward model's config.json says of its score head, beside an adapter: adapters have no config.json.
#pragma once

#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"

namespace attune {

inline constexpr const char* head_file = "reward_head.json";

// The labels and the head of a classifier's config.json.
void save_head(Fs& fs, const Path& folder, const Json& config);

// What was saved, as the entries `id2label` and `reward_head` of a config.json; an empty object where there is no file.
// FormatError when it holds anything else.
Json read_head(const Path& folder);

// The names in `id2label` of such entries, in order; none where they say nothing.
std::vector<std::string> labels_of(const Json& entries);

}  // namespace attune
