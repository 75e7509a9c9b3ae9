// The files of a tokenizer, as they travel with a model.
#pragma once

#include "attune/base/files.h"

namespace attune {

// Copies tokenizer.json and the files beside it, those that are there, durably. Nothing happens when the two folders
// are one. Errors as read_file and write_durably.
void copy_tokenizer_files(Fs& fs, const Path& from, const Path& to);

}  // namespace attune
