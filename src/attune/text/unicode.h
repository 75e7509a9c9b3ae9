// Unicode as the tokenizers' pre-tokenizers and Python's string methods see it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

// What a code point is to a pre-tokenizer.
enum class CharacterClass : std::uint8_t { other, letter, number, blank, end };  // `end`: behind the text

CharacterClass character_class(char32_t code_point);

struct CodePoint {
  char32_t value = 0;
  std::uint8_t size = 0;  // bytes; 0 at the end of the text
};

// The code point at `at`. A byte that does not begin well-formed UTF-8 counts as U+FFFD of one byte.
CodePoint code_point_at(std::string_view text, std::size_t at);
// The code point that ends before `end` (end > 0).
CodePoint code_point_before(std::string_view text, std::size_t end);

void append_utf8(std::string& out, char32_t code_point);

// Number of code points: len() of Python.
std::size_t code_point_count(std::string_view text);

bool is_blank(char32_t code_point);         // \s of a regular expression: White_Space
bool is_python_space(char32_t code_point);  // str.isspace(): White_Space and U+001C..1F
bool is_word(char32_t code_point);          // \w: letters, marks, digits, connectors
bool is_printable(char32_t code_point);     // str.isprintable()

// As components of tokenizer.json see them.
bool is_number(char32_t code_point);           // Digits
bool is_punctuation(char32_t code_point);      // Punctuation, BertPreTokenizer
bool is_accent(char32_t code_point);           // StripAccents leaves it out
bool is_bert_accent(char32_t code_point);      // BertNormalizer does
bool is_removed_by_bert(char32_t code_point);  // by its clean_text

// Python's str.upper(), lower(), capitalize() and title(); invalid bytes pass through.
std::string upper_case(std::string_view text);
std::string lower_case(std::string_view text);
std::string capitalized(std::string_view text);
std::string title_case(std::string_view text);

// Text with every maximal ill-formed piece replaced by U+FFFD, as Python's bytes.decode(errors="replace") does.
std::string replace_invalid_utf8(std::string_view bytes);

// The longest prefix of a well-formed sequence that begins at `at`, and whether that is whole. An ill-formed byte is a
// piece of its own (Unicode 15, table 3-7: each such maximal piece is one U+FFFD).
struct SequencePrefix {
  std::uint8_t length = 1;
  bool whole = false;
};
SequencePrefix well_formed_prefix(std::string_view text, std::size_t at);

// How many bytes at the end of `text` may still become a character when more bytes come.
std::size_t unfinished_utf8(std::string_view text);

// A piece of a normalized text and the bytes of the source that it stands for.
struct NormalizedPiece {
  std::size_t begin = 0, end = 0;                // in the normalized text
  std::size_t source_begin = 0, source_end = 0;  // in the source
  bool changed = false;                          // otherwise both have equal bytes
};
struct Normalized {
  std::string text = {};
  std::vector<NormalizedPiece> pieces = {};  // in order, without gaps; empty when nothing changed
};

enum class NormalForm { nfc, nfd, nfkc, nfkd };

// Normalization with the character data that Hugging Face tokenizers use. `text` must be valid UTF-8.
Normalized normalize(std::string_view text, NormalForm form);
Normalized normalize_nfc(std::string_view text);

std::string lower_case_of(char32_t code_point);  // Rust's char::to_lowercase(): without regard to its neighbours

// Where the user-perceived character that begins at `at` ends (Unicode annex 29, extended grapheme clusters).
std::size_t grapheme_end(std::string_view text, std::size_t at);

}  // namespace attune
