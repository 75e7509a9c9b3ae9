// The pre-tokenizers of tokenizer.json: steps that split a text into the pieces that the model sees one by one. Each is
// what the `tokenizers` package does under the same name.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "attune/text/pipeline/mapped_text.h"
#include "attune/text/pipeline/pattern.h"

namespace attune {

// A text and its pieces, in order, none empty. What is in no piece is left out.
struct Pieces {
  explicit Pieces(MappedText whole) : text(std::move(whole)) {
    if (text.size() > 0) pieces.push_back({0, text.size()});
  }
  MappedText text;
  std::vector<ByteSpan> pieces = {};
};

namespace splitters {

using Step = std::function<void(Pieces&)>;

// What becomes of a match: of "a-b" split at "-".
enum class Behavior {
  removed,               // a b
  isolated,              // a - b
  merged_with_previous,  // a- b
  merged_with_next,      // a -b
  contiguous,            // as isolated, but neighbouring matches are one piece
};
enum class Prefix { never, first, always };  // first: only where the text given begins

Step split(Pattern pattern, Behavior behavior, bool invert);
Step digits(bool individual);
Step punctuation(Behavior behavior);
Step whitespace();        // runs of word characters, and runs of others that are no blanks
Step whitespace_split();  // at blanks
Step delimiter(char32_t character);
Step bert();
Step metaspace(std::string replacement, Prefix prefix, bool split);
// `as_characters`: bytes become the characters of GPT-2's byte alphabet (byte_level.h), which later steps and the model
// see; else they stay bytes.
Step byte_level(bool add_prefix_space, bool use_expression, bool as_characters);

}  // namespace splitters
}  // namespace attune
