// Words, sentences and paragraphs of a text, as far as bytes tell them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attune::curate {

// Runs of ASCII letters, digits, apostrophes and bytes of other characters; ASCII letters in lower case.
std::vector<std::string> words_in(std::string_view text);
// A sentence ends at . ! or ? before a blank or the end; the last one needs no such mark. One has a word at least.
std::int64_t sentences_in(std::string_view text);
// Lines that are not blank, divided by blank ones.
std::int64_t paragraphs_in(std::string_view text);

std::vector<std::string_view> lines_of(std::string_view text);
std::string_view trimmed(std::string_view text);  // without blanks at both ends

}  // namespace attune::curate
