#include "attune/curate/words.h"

#include <algorithm>

namespace attune::curate {
namespace {

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || is_capital(c) || (c >= '0' && c <= '9') || c == '\'' ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    std::string word;
    for (; i < text.size() && is_word(text[i]); ++i) {
      word += is_capital(text[i]) ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    }
    if (!word.empty()) words.push_back(std::move(word));
    if (i == begin) ++i;
  }
  return words;
}

std::int64_t sentences_in(std::string_view text) {
  std::int64_t sentences = 0;
  bool open = false;  // words since the last end
  for (std::size_t i = 0; i < text.size(); ++i) {
    open = open || is_word(text[i]);
    const bool mark = text[i] == '.' || text[i] == '!' || text[i] == '?';
    if (open && mark && (i + 1 == text.size() || is_blank(text[i + 1]))) {
      ++sentences;
      open = false;
    }
  }
  return sentences + (open ? 1 : 0);
}

std::int64_t paragraphs_in(std::string_view text) {
  std::int64_t paragraphs = 0;
  bool inside = false;
  for (const std::string_view line : lines_of(text)) {
    const bool blank = trimmed(line).empty();
    paragraphs += !blank && !inside ? 1 : 0;
    inside = !blank;
  }
  return paragraphs;
}

}  // namespace attune::curate
