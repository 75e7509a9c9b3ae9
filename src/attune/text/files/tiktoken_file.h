// tiktoken's rank files: a token in base64 and its rank on each line.
#pragma once

#include <string>
#include <string_view>

#include "attune/text/tokenizer_file.h"

namespace attune {

// Whether the bytes look like one.
bool is_tiktoken(std::string_view bytes);

// The files say neither how text is split nor which special tokens there are: both follow from the number of ranks,
// which tells the published ones apart (gpt2 and r50k, p50k, cl100k, o200k, Llama 3, Qwen). Throws FormatError at the
// line, and for numbers that belong to none of them.
TokenizerFile read_tiktoken(std::string_view bytes, const std::string& file);

}  // namespace attune
