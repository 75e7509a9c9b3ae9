// What encoding a text takes and gives.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/text/added_tokens.h"

namespace attune {

// Which added tokens are recognised where their spelling stands in a text.
enum class Spellings {
  all,          // as Hugging Face does by default: right for text that templates and programs made
  not_special,  // added tokens such as <think>, but no special ones ("split_special_tokens")
  none,         // none: every character is text
};

struct EncodeOptions {
  Spellings spellings = Spellings::all;
  bool add_special_tokens = false;           // what the post-processor puts around a text (Llama-3's BOS)
  std::span<const OriginSpan> origins = {};  // in order; bytes in none of them are trusted. See Origin
};

// Bytes [begin, end) of the input that a token stands for; empty for tokens that were put around it. Never trimmed: the
// blank of " word" belongs to its token. Bytes of one character split over tokens are told apart.
struct ByteSpan {
  std::size_t begin = 0, end = 0;
  bool operator==(const ByteSpan&) const = default;
};

struct Encoding {
  std::vector<std::int32_t> ids = {};
  std::vector<ByteSpan> spans = {};  // one an id
};

}  // namespace attune
