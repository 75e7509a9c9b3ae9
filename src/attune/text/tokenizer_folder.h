// The files of a tokenizer, as they travel with a model.
#pragma once

#include "attune/base/files.h"

namespace attune {

// The file of a folder that holds its tokenizer: tokenizer.json, else a SentencePiece model by one of its usual names,
// else the only *.tiktoken or *.gguf. A path that is no folder is the file itself. Throws MissingInput naming
// tokenizer.json when the folder has none of them.
Path tokenizer_file_of(const Path& folder_or_file);

// Copies the tokenizer's file and those beside it, those that are there, durably. Nothing happens when the two folders
// are one. Errors as read_file and write_durably.
void copy_tokenizer_files(Fs& fs, const Path& from, const Path& to);

}  // namespace attune
