#include "attune/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include "attune/base/errors.h"
#include "attune/text/unicode_tables.h"

namespace attune {
namespace {

constexpr char32_t replacement = 0xFFFD;
constexpr std::size_t code_points = 0x110000;

// One byte a code point: untouched pages stay unmapped, so the table costs what is looked at.
class ClassTable {
 public:
  ClassTable() : classes_(new CharacterClass[code_points]()) {
    for (const auto& range : unicode_tables::categories) {
      if (range.category[0] == 'L') fill({range.first, range.last}, CharacterClass::letter);
      if (range.category[0] == 'N') fill({range.first, range.last}, CharacterClass::number);
    }
    for (const auto& range : unicode_tables::blanks) fill(range, CharacterClass::blank);
  }
  CharacterClass at(char32_t code_point) const { return classes_[code_point]; }

 private:
  void fill(const unicode_tables::Range& range, CharacterClass value) {
    std::fill(&classes_[range.first], &classes_[range.last] + 1, value);
  }
  std::unique_ptr<CharacterClass[]> classes_;
};

bool within(std::span<const unicode_tables::Range> ranges, char32_t code_point) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), code_point,
                                      [](char32_t value, const auto& range) { return value < range.first; });
  return after != ranges.begin() && code_point <= std::prev(after)->last;
}

bool continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

std::string_view long_mapping(std::span<const unicode_tables::Mapping> table, char32_t code_point) {
  const auto found = std::lower_bound(table.begin(), table.end(), code_point,
                                      [](const auto& mapping, char32_t value) { return mapping.from < value; });
  return found != table.end() && found->from == code_point ? found->to : std::string_view();
}

using Simple = utf8proc_int32_t (*)(utf8proc_int32_t);

void append_mapped(std::string& out, char32_t c, std::span<const unicode_tables::Mapping> table, Simple simple) {
  const std::string_view several = long_mapping(table, c);
  if (several.empty()) {
    append_utf8(out, static_cast<char32_t>(simple(static_cast<utf8proc_int32_t>(c))));
  } else {
    out += several;
  }
}

bool is_cased(char32_t c) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT;
}

bool is_case_ignorable(char32_t c) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_LM || category == UTF8PROC_CATEGORY_SK || c == '\'' || c == '.' || c == ':' ||
         c == 0xB7 || c == 0x2019;
}

// Capital sigma ends a word as U+03C2 (SpecialCasing.txt, Final_Sigma).
bool final_sigma(std::string_view text, std::size_t at) {
  bool before = false;
  for (std::size_t end = at; end > 0;) {
    const CodePoint c = code_point_before(text, end);
    end -= c.size;
    if (is_case_ignorable(c.value)) continue;
    before = is_cased(c.value);
    break;
  }
  if (!before) return false;
  for (std::size_t next = at + 2; next < text.size();) {
    const CodePoint c = code_point_at(text, next);
    next += c.size;
    if (is_case_ignorable(c.value)) continue;
    return !is_cased(c.value);
  }
  return true;
}

enum class Casing { upper, lower, title };

void append_cased(std::string& out, std::string_view text, std::size_t at, CodePoint c, Casing casing) {
  if (c.value == replacement && c.size == 1) {
    out += text[at];
  } else if (casing == Casing::upper) {
    append_mapped(out, c.value, unicode_tables::long_upper, utf8proc_toupper);
  } else if (casing == Casing::title) {
    append_mapped(out, c.value, unicode_tables::long_title, utf8proc_totitle);
  } else if (c.value == 0x3A3 && final_sigma(text, at)) {
    append_utf8(out, 0x3C2);
  } else {
    append_mapped(out, c.value, unicode_tables::long_lower, utf8proc_tolower);
  }
}

template <class Choose>
std::string mapped(std::string_view text, Choose choose) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    append_cased(out, text, at, c, choose(c.value));
    at += c.size;
  }
  return out;
}

constexpr utf8proc_option_t options_of(NormalForm form) {
  const int how = form == NormalForm::nfc || form == NormalForm::nfkc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  const int compatible = form == NormalForm::nfkc || form == NormalForm::nfkd ? UTF8PROC_COMPAT : 0;
  return static_cast<utf8proc_option_t>(UTF8PROC_STABLE | how | compatible);
}

bool is_compatible(NormalForm form) { return form == NormalForm::nfkc || form == NormalForm::nfkd; }

std::string normal_form_of(std::string_view text, NormalForm form) {
  utf8proc_uint8_t* bytes = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &bytes, options_of(form));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(bytes, &std::free);
  require(size >= 0, "utf8proc_map refused valid UTF-8");
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

bool unknown_to(NormalForm form, char32_t c) {
  if (c < 0x300) return false;
  return within(unicode_tables::unknown_to_nfc, c) ||
         (is_compatible(form) && within(unicode_tables::unknown_to_nfkc, c));
}

// True when normalizing never changes what stands before because of `c`: it begins a new piece.
bool begins_piece(NormalForm form, char32_t c) {
  if (c < 0x300) return true;
  if (unknown_to(form, c)) return true;
  // Second halves of compositions are marks, or Hangul vowels and trailing consonants; or become such.
  if (c >= 0x1160 && c <= 0x11FF) return false;
  if (is_compatible(form) && ((c >= 0x3131 && c <= 0x318E) || (c >= 0xFF9E && c <= 0xFFDC))) return false;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return false;
    default:
      return true;
  }
}

}  // namespace

CharacterClass character_class(char32_t code_point) {
  static const ClassTable table;
  return table.at(code_point);
}

SequencePrefix well_formed_prefix(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::uint8_t wanted = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (!continuation(text, at + 1)) return {1, false};
  const auto second = static_cast<unsigned char>(text[at + 1]);
  const bool second_fits = !(lead == 0xE0 && second < 0xA0) && !(lead == 0xED && second > 0x9F) &&
                           !(lead == 0xF0 && second < 0x90) && !(lead == 0xF4 && second > 0x8F);
  if (!second_fits) return {1, false};
  std::uint8_t length = 2;
  while (length < wanted && continuation(text, at + length)) ++length;
  return {length, length == wanted};
}

std::size_t unfinished_utf8(std::string_view text) {
  for (std::size_t size = 1; size <= 3 && size <= text.size(); ++size) {
    const auto byte = static_cast<unsigned char>(text[text.size() - size]);
    if ((byte & 0xC0) == 0x80) continue;
    const SequencePrefix prefix = well_formed_prefix(text, text.size() - size);
    return byte >= 0xC2 && byte <= 0xF4 && !prefix.whole && prefix.length == size ? size : 0;
  }
  return 0;
}

CodePoint code_point_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  const auto byte = [&](std::size_t offset) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[at + offset]));
  };
  if (byte(0) < 0x80) return {byte(0), 1};
  const SequencePrefix sequence = well_formed_prefix(text, at);
  if (!sequence.whole) return {replacement, 1};
  switch (sequence.length) {
    case 2:
      return {(byte(0) & 0x1F) << 6 | (byte(1) & 0x3F), 2};
    case 3:
      return {(byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
    default:
      return {(byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
  }
}

CodePoint code_point_before(std::string_view text, std::size_t end) {
  for (std::size_t size = 2; size <= 4 && size <= end; ++size) {
    const CodePoint c = code_point_at(text, end - size);
    if (c.size == size) return c;
  }
  return code_point_at(text.substr(0, end), end - 1);
}

void append_utf8(std::string& out, char32_t c) {
  const auto byte = [&](char32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F));
  }
}

std::size_t code_point_count(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) at += code_point_at(text, at).size;
  return count;
}

bool is_blank(char32_t c) { return character_class(c) == CharacterClass::blank; }

bool is_python_space(char32_t c) { return is_blank(c) || (c >= 0x1C && c <= 0x1F); }

bool is_word(char32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  if (c <= 0xBE && character_class(c) == CharacterClass::number) return false;  // Oniguruma alone counts them
  return c == 0x200C || c == 0x200D || within(unicode_tables::words, c);
}

bool is_number(char32_t c) {
  return character_class(c) == CharacterClass::number || (c >= 0x80 && within(unicode_tables::digits_more, c));
}

bool is_punctuation(char32_t c) { return within(unicode_tables::punctuation, c); }
bool is_accent(char32_t c) { return c >= 0x300 && within(unicode_tables::accents, c); }
bool is_bert_accent(char32_t c) { return c >= 0x300 && within(unicode_tables::bert_accents, c); }
bool is_removed_by_bert(char32_t c) { return within(unicode_tables::bert_removed, c); }

bool is_printable(char32_t c) {
  if (c == ' ') return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
      return false;
    default:
      return true;
  }
}

std::string upper_case(std::string_view text) {
  return mapped(text, [](char32_t) { return Casing::upper; });
}

std::string lower_case(std::string_view text) {
  return mapped(text, [](char32_t) { return Casing::lower; });
}

std::string capitalized(std::string_view text) {
  bool first = true;
  return mapped(text, [&](char32_t) { return std::exchange(first, false) ? Casing::title : Casing::lower; });
}

std::string title_case(std::string_view text) {
  bool inside = false;
  return mapped(text, [&](char32_t c) { return std::exchange(inside, is_cased(c)) ? Casing::lower : Casing::title; });
}

std::string replace_invalid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const SequencePrefix sequence = well_formed_prefix(bytes, at);
    if (sequence.whole) {
      out += bytes.substr(at, sequence.length);
    } else {
      append_utf8(out, replacement);
    }
    at += sequence.length;
  }
  return out;
}

namespace {

constexpr std::size_t longest_divided = 64;  // bytes: keeps long runs of marks linear

// Collects what the pieces of a text become.
class Normalizing {
 public:
  Normalizing(std::string_view text, NormalForm form) : text_(text), form_(form) { result_.text.reserve(text.size()); }

  void keep(std::size_t begin, std::size_t end) { add(text_.substr(begin, end - begin), begin, end); }

  // A character with what follows and may change with it. Where both change apart, they are told apart.
  void change(std::size_t begin, std::size_t first_end, std::size_t end) {
    const std::string whole = normal_form_of(text_.substr(begin, end - begin), form_);
    if (first_end < end && end - begin <= longest_divided) {
      const std::string first = normal_form_of(text_.substr(begin, first_end - begin), form_);
      const std::string rest = normal_form_of(text_.substr(first_end, end - first_end), form_);
      if (first + rest == whole) {
        add(first, begin, first_end);
        add(rest, first_end, end);
        return;
      }
    }
    add(whole, begin, end);
  }

  Normalized finish() {
    if (!any_) result_.pieces.clear();
    return std::move(result_);
  }

 private:
  void add(std::string_view becomes, std::size_t begin, std::size_t end) {
    const std::size_t from = result_.text.size();
    result_.text += becomes;
    const bool changed = becomes != text_.substr(begin, end - begin);
    any_ |= changed;
    if (!changed && !result_.pieces.empty() && !result_.pieces.back().changed) {
      result_.pieces.back().end = result_.text.size();
      result_.pieces.back().source_end = end;
    } else {
      result_.pieces.push_back({from, result_.text.size(), begin, end, changed});
    }
  }

  std::string_view text_;
  NormalForm form_;
  Normalized result_;
  bool any_ = false;
};

}  // namespace

Normalized normalize(std::string_view text, NormalForm form) {
  // NFC leaves what stands before U+0300 (CC 80) alone, the other forms only ASCII.
  const unsigned char first_changed = form == NormalForm::nfc ? 0xCC : 0x80;
  const auto plain = [&](char c) { return static_cast<unsigned char>(c) < first_changed; };
  if (std::all_of(text.begin(), text.end(), plain)) return {std::string(text), {}};
  const char32_t first_unsettled = form == NormalForm::nfc ? 0x300 : 0x80;
  Normalizing result(text, form);
  for (std::size_t begin = 0; begin < text.size();) {
    const CodePoint first = code_point_at(text, begin);
    const bool unknown = unknown_to(form, first.value);
    std::size_t end = begin + first.size;
    while (!unknown && end < text.size()) {
      const CodePoint next = code_point_at(text, end);
      if (begins_piece(form, next.value)) break;
      end += next.size;
    }
    const bool alone = end == begin + first.size;
    if (alone && (first.value < first_unsettled || unknown)) {
      result.keep(begin, end);
    } else {
      result.change(begin, begin + first.size, end);
    }
    begin = end;
  }
  return result.finish();
}

Normalized normalize_nfc(std::string_view text) { return normalize(text, NormalForm::nfc); }

std::string lower_case_of(char32_t c) {
  if (c < 0x80) return {static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c)};
  const std::string_view other = long_mapping(unicode_tables::other_lower, c);
  if (!other.empty()) return std::string(other);
  std::string out;
  append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  return out;
}

std::size_t grapheme_end(std::string_view text, std::size_t at) {
  CodePoint c = code_point_at(text, at);
  utf8proc_int32_t state = 0;
  for (at += c.size; at < text.size();) {
    const CodePoint next = code_point_at(text, at);
    const auto before = static_cast<utf8proc_int32_t>(c.value), behind = static_cast<utf8proc_int32_t>(next.value);
    if (utf8proc_grapheme_break_stateful(before, behind, &state)) break;
    at += next.size;
    c = next;
  }
  return at;
}

}  // namespace attune
