#include "attune/text/models/word_piece.h"

#include <algorithm>

#include "attune/text/unicode.h"

namespace attune {

WordPiece::WordPiece(std::span<const Bpe::Entry> vocabulary, Options options) : options_(std::move(options)) {
  for (const Bpe::Entry& entry : vocabulary) {
    if (texts_.insert(entry.bytes).second) ids_.push_back(entry.id);
    longest_token_ = std::max(longest_token_, entry.bytes.size());
  }
}

std::int32_t WordPiece::find(std::string_view text) const {
  const std::int32_t number = texts_.find(text);
  return number == StringTable::none ? -1 : ids_[static_cast<std::size_t>(number)];
}

void WordPiece::encode(std::string_view piece, std::vector<ModelToken>& tokens) const {
  const ModelToken whole = {options_.unknown, 0, static_cast<std::uint32_t>(piece.size())};
  if (options_.whole_words_only) {
    const std::int32_t id = find(piece);
    tokens.push_back({id < 0 ? options_.unknown : id, 0, whole.end});
    return;
  }
  // Four bytes a character at most: a million letters need not be counted.
  const bool too_long = piece.size() > options_.longest_word * 4 || code_point_count(piece) > options_.longest_word;
  const std::size_t first = tokens.size();
  std::string spelling;
  for (std::size_t at = 0; at < piece.size() && !too_long;) {
    std::size_t end = std::min(piece.size(), at + longest_token_);
    while (end < piece.size() && (static_cast<unsigned char>(piece[end]) & 0xC0) == 0x80) --end;
    std::int32_t id = -1;
    for (; end > at; end -= code_point_before(piece, end).size) {
      spelling = at > 0 ? options_.continuing_prefix : std::string();
      spelling += piece.substr(at, end - at);
      if (id = find(spelling); id >= 0) break;
    }
    if (id < 0) {
      tokens.resize(first);
      break;
    }
    tokens.push_back({id, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)});
    at = end;
  }
  if (tokens.size() == first) tokens.push_back(whole);
}

}  // namespace attune
