// Where words begin, from the classes of bytes: the regular expressions of the tokenizer families as operations on bit
// masks, 64 bytes at a time. Every byte costs the same whatever it is; only contractions, long numbers and indented
// lines are looked at one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "attune/text/byte_classes.h"
#include "attune/text/pre_tokenizer.h"

namespace attune {

// Sets bit i of `starts` where a word of `text` begins at byte i. `text` is taken to begin a word and to end where it
// ends; `classes` are its own. One entry of `starts` a block. Not for WordPattern::everything.
void find_word_starts(std::string_view text, std::span<const ByteClasses> classes, WordPattern pattern,
                      std::span<std::uint64_t> starts);

// The last place where a text can be cut without looking at either side's rest, 0 if there is none: a single ' ' or
// line end between two letters begins a word in every family.
std::size_t last_safe_cut(std::span<const ByteClasses> classes);

}  // namespace attune
