// The vocabulary inside a GGUF file (its keys tokenizer.ggml.*), and its chat template.
#pragma once

#include <string>
#include <string_view>

#include "attune/text/tokenizer_file.h"

namespace attune {

// Models: "gpt2" (byte-level BPE, split as tokenizer.ggml.pre names it), "llama" (SentencePiece BPE), "t5"
// (SentencePiece unigram) and "bert" (WordPiece). Throws FormatError, also for names that are not known.
TokenizerFile read_gguf_vocabulary(std::string_view bytes, const std::string& file);

}  // namespace attune
