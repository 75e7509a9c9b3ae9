// The decoders of tokenizer.json: steps from the spellings of tokens to a text. Each is what the `tokenizers` package
// does under the same name. The text is what the steps leave, joined.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "attune/text/pipeline/pattern.h"

namespace attune::decoders {

using Step = std::function<void(std::vector<std::string>&)>;

// The byte that a token such as <0xE4> stands for.
std::optional<char> fallback_byte(std::string_view spelling);

Step byte_level();
Step byte_fallback();  // <0xE4> and its neighbours to the character they make, or one U+FFFD each
Step fuse();
Step strip(std::string character, std::size_t start, std::size_t stop);  // at most so many at each end of each token
Step replace(Pattern pattern, std::string with);
Step metaspace(std::string replacement, bool prefixed);
Step word_piece(std::string prefix, bool cleanup);
Step spaced();                    // what is done without a decoder: ' ' between all tokens
Step suffix(std::string suffix);  // BPEDecoder: the end-of-word mark becomes ' '

}  // namespace attune::decoders
