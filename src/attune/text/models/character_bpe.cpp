#include "attune/text/models/character_bpe.h"

#include <algorithm>

#include "attune/text/unicode.h"

namespace attune {
namespace {

constexpr std::string_view blank_mark = "\u2581";

// U+2581 behind anything but itself.
bool holds_inner_blank(std::string_view token) {
  for (std::size_t at = token.find(blank_mark, 1); at != token.npos; at = token.find(blank_mark, at + 1)) {
    if (!token.substr(0, at).ends_with(blank_mark)) return true;
  }
  return false;
}

}  // namespace

CharacterBpe::CharacterBpe(std::span<const Bpe::Entry> vocabulary, std::span<const Bpe::Merge> merges, Options options)
    : bpe_(merges), options_(std::move(options)) {
  for (const Bpe::Entry& entry : vocabulary) {
    if (texts_.insert(entry.bytes).second) ids_.push_back(entry.id);
  }
  std::vector<PrefixTree::Entry> frozen;
  for (const std::string& text : options_.frozen) frozen.push_back({text, find(text)});
  frozen_ = PrefixTree(std::move(frozen));
  byte_fallback_ = std::ranges::none_of(options_.byte_ids, [](std::int32_t id) { return id < 0; });
  cuts_at_blanks_ = !options_.whole_words && options_.continuing_prefix.empty() && options_.end_of_word.empty() &&
                    find(blank_mark) != nobody &&
                    std::ranges::none_of(vocabulary, [](const auto& entry) { return holds_inner_blank(entry.bytes); });
}

std::int32_t CharacterBpe::find(std::string_view text) const {
  const std::int32_t number = texts_.find(text);
  return number == StringTable::none ? nobody : ids_[static_cast<std::size_t>(number)];
}

std::size_t CharacterBpe::part_end(std::string_view piece, std::size_t at) const {
  if (!cuts_at_blanks_) return piece.size();
  bool inside = false;  // behind the marks that the part begins with
  while (at < piece.size()) {
    const bool mark = piece.substr(at).starts_with(blank_mark);
    if (mark && inside) return at;
    if (mark) {
      at += blank_mark.size();
      continue;
    }
    inside = true;
    at = std::min(piece.find(blank_mark, at), piece.size());
  }
  return at;
}

std::int32_t CharacterBpe::symbol(std::string_view piece, std::size_t at, std::size_t size) const {
  const std::string_view character = piece.substr(at, size);
  const bool first = at == 0, last = at + size == piece.size();
  if ((first || options_.continuing_prefix.empty()) && (!last || options_.end_of_word.empty())) return find(character);
  std::string spelling = first ? std::string() : options_.continuing_prefix;
  spelling += character;
  if (last) spelling += options_.end_of_word;
  return find(spelling);
}

void CharacterBpe::encode(std::string_view piece, std::vector<ModelToken>& tokens) const {
  if (options_.whole_words) {
    if (const std::int32_t whole = find(piece); whole != nobody) {
      tokens.push_back({whole, 0, static_cast<std::uint32_t>(piece.size())});
      return;
    }
  }
  Symbols symbols;
  symbols.ids.reserve(piece.size());
  symbols.begins.reserve(piece.size() + 1);
  for (std::size_t at = 0; at < piece.size();) {
    const auto begin = static_cast<std::uint32_t>(at);
    std::size_t frozen_size = 0;
    std::int32_t frozen_id = 0;
    if (!frozen_.empty()) {
      frozen_.prefixes(piece.substr(at),
                       [&](std::size_t size, std::int32_t id) { frozen_size = size, frozen_id = id; });
    }
    if (frozen_size > 0) {
      merge(symbols, begin, piece, tokens);
      at += frozen_size;
      tokens.push_back({frozen_id, begin, static_cast<std::uint32_t>(at)});
      continue;
    }
    const std::size_t size = code_point_at(piece, at).size;
    symbols.ids.push_back(symbol(piece, at, size));
    symbols.begins.push_back(begin);
    at += size;
  }
  merge(symbols, static_cast<std::uint32_t>(piece.size()), piece, tokens);
}

void CharacterBpe::merge(Symbols& symbols, std::uint32_t end, std::string_view piece,
                         std::vector<ModelToken>& tokens) const {
  std::vector<Bpe::Part> parts;
  bpe_.merge(symbols.ids, parts);
  symbols.begins.push_back(end);
  bool after_unknown = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t next = i + 1 < parts.size() ? parts[i + 1].first : symbols.ids.size();
    const ModelToken token = {parts[i].id, symbols.begins[parts[i].first], symbols.begins[next]};
    if (token.id < options_.limit) {
      tokens.push_back(token);
      after_unknown = false;
    } else {
      add_unknown(piece, token, after_unknown, tokens);
    }
  }
  symbols.ids.clear();
  symbols.begins.clear();
}

void CharacterBpe::add_unknown(std::string_view piece, const ModelToken& token, bool& after_unknown,
                               std::vector<ModelToken>& tokens) const {
  if (byte_fallback_) {
    for (std::uint32_t at = token.begin; at < token.end; ++at)
      tokens.push_back({options_.byte_ids[static_cast<unsigned char>(piece[at])], at, at + 1});
    return;
  }
  if (!options_.unknown) return;
  if (after_unknown && options_.fuse_unknown) {
    tokens.back().end = token.end;
  } else {
    tokens.push_back({*options_.unknown, token.begin, token.end});
  }
  after_unknown = true;
}

}  // namespace attune
