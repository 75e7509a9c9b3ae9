#include "attune/text/regex/character_set.h"

#include <algorithm>
#include <span>

#include "attune/text/unicode_tables.h"

namespace attune {
namespace {

constexpr char32_t last_code_point = 0x10FFFF;

CodePointRanges copied(std::span<const unicode_tables::Range> table) {
  CodePointRanges ranges;
  for (const auto& range : table) ranges.push_back({range.first, range.last});
  return ranges;
}

CodePointRanges of_category(std::string_view prefix) {
  CodePointRanges ranges;
  for (const auto& range : unicode_tables::categories) {
    if (std::string_view(range.category).starts_with(prefix)) ranges.push_back({range.first, range.last});
  }
  return united(std::move(ranges));
}

std::optional<CodePointRanges> script(std::string_view name) {
  using namespace unicode_tables;
  if (name == "Arabic") return copied(script_arabic);
  if (name == "Bopomofo") return copied(script_bopomofo);
  if (name == "Cyrillic") return copied(script_cyrillic);
  if (name == "Greek") return copied(script_greek);
  if (name == "Han") return copied(script_han);
  if (name == "Hangul") return copied(script_hangul);
  if (name == "Hebrew") return copied(script_hebrew);
  if (name == "Hiragana") return copied(script_hiragana);
  if (name == "Katakana") return copied(script_katakana);
  if (name == "Latin") return copied(script_latin);
  if (name == "Thai") return copied(script_thai);
  return std::nullopt;
}

}  // namespace

CodePointRanges united(CodePointRanges ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  CodePointRanges set;
  for (const CodePointRange& range : ranges) {
    if (!set.empty() && range.first <= set.back().last + 1) {
      set.back().last = std::max(set.back().last, range.last);
    } else {
      set.push_back(range);
    }
  }
  return set;
}

CodePointRanges inverted(const CodePointRanges& set) {
  CodePointRanges rest;
  char32_t next = 0;
  for (const CodePointRange& range : set) {
    if (range.first > next) rest.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= last_code_point) rest.push_back({next, last_code_point});
  return rest;
}

CodePointRanges intersected(const CodePointRanges& a, const CodePointRanges& b) {
  CodePointRanges both = inverted(a);
  const CodePointRanges other = inverted(b);
  both.insert(both.end(), other.begin(), other.end());
  return inverted(united(std::move(both)));
}

CodePointRanges blank_ranges() { return copied(unicode_tables::blanks); }
CodePointRanges word_ranges() { return copied(unicode_tables::words); }

std::optional<CodePointRanges> property_ranges(std::string_view name) {
  constexpr std::array<std::string_view, 7> groups = {"L", "M", "N", "P", "S", "Z", "C"};
  if (name == "Cn" || name == "Cs" || name == "C") {  // those without a row in the table
    const CodePointRanges assigned = of_category("");
    const CodePointRanges surrogates = {{0xD800, 0xDFFF}};
    if (name == "Cs") return surrogates;
    const CodePointRanges rest = intersected(inverted(assigned), inverted(surrogates));
    if (name == "Cn") return rest;
    CodePointRanges all = of_category("C");
    all.insert(all.end(), rest.begin(), rest.end());
    all.insert(all.end(), surrogates.begin(), surrogates.end());
    return united(std::move(all));
  }
  if (std::find(groups.begin(), groups.end(), name) != groups.end()) return of_category(name);
  if (name.size() == 2) {
    CodePointRanges category = of_category(name);
    if (!category.empty()) return category;
  }
  if (name == "Letter") return of_category("L");
  if (name == "Number") return of_category("N");
  if (name == "Punctuation") return of_category("P");
  if (name == "Alphabetic" || name == "Alnum" || name == "Punct") return std::nullopt;  // sets of their own: refused
  return script(name);
}

CharacterSet::CharacterSet(const CodePointRanges& set) {
  std::vector<Block> table(block_of_.size());
  for (const CodePointRange& range : set) {
    for (char32_t c = range.first; c <= range.last; ++c) {
      if ((c & 63) == 0 && c + 63 <= range.last) {  // whole words at once
        table[c >> 8][c >> 6 & 3] = ~std::uint64_t{0};
        c += 63;
      } else {
        table[c >> 8][c >> 6 & 3] |= std::uint64_t{1} << (c & 63);
      }
    }
  }
  for (std::size_t i = 0; i < table.size(); ++i) {
    auto found = std::find(blocks_.begin(), blocks_.end(), table[i]);
    if (found == blocks_.end()) found = blocks_.insert(blocks_.end(), table[i]);
    block_of_[i] = static_cast<std::uint16_t>(found - blocks_.begin());
  }
}

}  // namespace attune
