#include "attune/text/pipeline/precompiled_map.h"

#include <cstring>
#include <memory>

namespace attune {
namespace {

constexpr std::size_t longest_short_grapheme = 5;  // bytes; longer ones are taken character by character

// The fields of one unit of the trie.
bool has_leaf(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
std::uint32_t value_of(std::uint32_t unit) { return unit & 0x7FFFFFFF; }
std::uint32_t label_of(std::uint32_t unit) { return unit & (0x80000000U | 0xFF); }
std::uint32_t offset_of(std::uint32_t unit) { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }

}  // namespace

PrecompiledMap::PrecompiledMap(std::string_view bytes, const Where& where) {
  std::uint32_t size = 0;
  if (bytes.size() >= sizeof size) std::memcpy(&size, bytes.data(), sizeof size);
  if (bytes.size() < sizeof size || size > bytes.size() - sizeof size || size % 4 != 0 || size == 0) {
    throw FormatError(where, "compiled rules of " + std::to_string(bytes.size()) + " bytes that are not whole",
                      "a trie and its texts", "fetch the file again");
  }
  units_.resize(size / 4);
  std::memcpy(units_.data(), bytes.data() + sizeof size, size);
  texts_ = bytes.substr(sizeof size + size);
}

template <class Found>
void PrecompiledMap::walk(std::string_view text, Found found) const {
  std::uint32_t at = offset_of(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    if (at >= units_.size() || label_of(units_[at]) != byte) return;
    const std::uint32_t unit = units_[at];
    at ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    if (at >= units_.size()) return;
    if (!found(i + 1, value_of(units_[at]))) return;
  }
}

std::string_view PrecompiledMap::text_at(std::uint32_t offset) const {
  if (offset >= texts_.size()) return {};
  const std::string_view rest = std::string_view(texts_).substr(offset);
  return rest.substr(0, rest.find('\0'));
}

std::optional<PrecompiledMap::Match> PrecompiledMap::longest(std::string_view text) const {
  std::optional<Match> best;
  walk(text, [&](std::size_t size, std::uint32_t value) {
    best = {size, text_at(value)};
    return true;
  });
  return best;
}

std::optional<PrecompiledMap::Match> PrecompiledMap::shortest(std::string_view text) const {
  std::optional<Match> first;
  walk(text, [&](std::size_t size, std::uint32_t value) {
    first = {size, text_at(value)};
    return false;
  });
  return first;
}

normalizers::Step normalizers::precompiled(PrecompiledMap map) {
  return [map = std::make_shared<const PrecompiledMap>(std::move(map))](MappedText text) {
    TextEdit edit(text);
    const auto change = [&](std::size_t begin, std::size_t end) {
      const auto rule = map->shortest(text.text().substr(begin, end - begin));  // stands for all of it
      if (rule) edit.put(rule->to, begin, end);
      return rule.has_value();
    };
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = grapheme_end(text.text(), at);
      if (end - at <= longest_short_grapheme && change(at, end)) {
        at = end;
        continue;
      }
      while (at < end) {
        const std::size_t next = at + code_point_at(text.text(), at).size;
        if (!change(at, next)) edit.keep(at, next);
        at = next;
      }
    }
    return edit.finish();
  };
}

}  // namespace attune
