#include "attune/text/added_tokens.h"

#include <algorithm>

#include "attune/text/unicode.h"

namespace attune {

void AddedTokenFinder::add(std::string_view pattern, const AddedToken& token) {
  std::int32_t node = 0;
  const bool same_first = empty() || only_first_ == pattern.front();
  only_first_ = same_first ? std::optional(pattern.front()) : std::nullopt;
  first_[static_cast<unsigned char>(pattern.front())] = true;
  for (const char c : pattern) {
    const auto byte = static_cast<unsigned char>(c);
    std::int32_t next = step(node, byte);
    if (next < 0) {
      next = static_cast<std::int32_t>(nodes_.size());
      nodes_.push_back({-1, nodes_[static_cast<std::size_t>(node)].child, byte, nullptr});
      nodes_[static_cast<std::size_t>(node)].child = next;
    }
    node = next;
  }
  const AddedToken*& place = nodes_[static_cast<std::size_t>(node)].token;
  if (!place) place = &token;
}

bool AddedTokenFinder::fits(std::string_view text, const AddedTokenMatch& match) {
  if (!match.token->single_word) return true;
  const bool word_before = match.begin > 0 && is_word(code_point_before(text, match.begin).value);
  const bool word_behind = match.end < text.size() && is_word(code_point_at(text, match.end).value);
  return !word_before && !word_behind;
}

void AddedTokenFinder::strip(std::string_view text, std::size_t from, AddedTokenMatch& match) {
  while (match.token->lstrip && match.begin > from) {
    const CodePoint before = code_point_before(text, match.begin);
    if (!is_blank(before.value)) break;
    match.begin -= before.size;
  }
  match.begin = std::max(match.begin, from);
  while (match.token->rstrip && match.end < text.size()) {
    const CodePoint behind = code_point_at(text, match.end);
    if (!is_blank(behind.value)) break;
    match.end += behind.size;
  }
}

}  // namespace attune
