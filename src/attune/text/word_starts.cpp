#include "attune/text/word_starts.h"

#include <bit>

namespace attune {
namespace {

using Bits = std::uint64_t;
constexpr std::size_t block_size = ByteClasses::size;

// Moves bits by one byte along the text. The neighbour's bits come in at the end.
Bits forward(Bits previous, Bits bits) { return bits << 1 | previous >> 63; }
Bits backward(Bits bits, Bits next) { return bits >> 1 | next << 63; }

Bits not_blank(const ByteClasses& c) { return c.letters | c.numbers | c.others; }

class StartFinder {
 public:
  StartFinder(std::string_view text, std::span<const ByteClasses> classes, std::span<Bits> starts)
      : text_(text), classes_(classes), starts_(starts) {}

  void gpt2() {
    ByteClasses before;
    for (std::size_t k = 0; k < classes_.size(); ++k) {
      const ByteClasses& c = classes_[k];
      const Bits begin = (c.letters & ~forward(before.letters, c.letters)) |
                         (c.numbers & ~forward(before.numbers, c.numbers)) |
                         (c.others & ~forward(before.others, c.others));
      starts_[k] = (begin & ~forward(before.spaces, c.spaces)) | (c.blanks & ~forward(before.blanks, c.blanks));
      add_last_blanks(k, c.blanks);
      before = c;
    }
    add_contractions(false);
  }

  void llama3(std::size_t digits) {
    Previous previous;
    for (std::size_t k = 0; k < classes_.size(); ++k) llama3_block(k, previous);
    for (std::size_t k = 0; k < classes_.size(); ++k) {
      if (digits == 1) starts_[k] |= classes_[k].numbers & ~classes_[k].continued;
      add_lines(k);
      if (digits > 1) add_digits(k, digits);
    }
    add_contractions(true);
  }

 private:
  // What a block leaves to the next one.
  struct Previous {
    ByteClasses classes = {};
    Bits joined_blanks = 0, lone_others = 0;
    bool line_ends_go_on = false;
  };

  // [^\r\n\p{L}\p{N}]?\p{L}+ and ` ?[^\s\p{L}\p{N}]+[\r\n]*` and the plain parts of blanks and numbers.
  void llama3_block(std::size_t k, Previous& previous) {
    const ByteClasses& c = classes_[k];
    const ByteClasses& before = previous.classes;
    // Line ends right behind others belong to them. Adding a run's first bit to the run carries to its end.
    const Bits taken_first = c.line_ends & forward(before.others, c.others);
    Bits carried = c.line_ends + taken_first;
    bool carry = carried < taken_first;
    carried += previous.line_ends_go_on;
    carry |= previous.line_ends_go_on && carried == 0;
    const Bits blanks = c.blanks & ~(c.line_ends & ~carried);

    const Bits others = c.others & ~forward(before.others, c.others) & ~forward(before.spaces, c.spaces);
    Bits lone_others = others;  // the first character of a run that begins a word; letters behind it join it
    for (int i = 0; i < 3; ++i) lone_others |= forward(previous.lone_others, lone_others) & c.others & c.continued;
    const Bits takes_letters = forward(before.blanks & ~before.line_ends, c.blanks & ~c.line_ends) |
                               forward(previous.lone_others, lone_others);
    const Bits letters = c.letters & ~forward(before.letters, c.letters) & ~takes_letters;
    const Bits numbers = c.numbers & ~forward(before.numbers, c.numbers);
    starts_[k] = letters | numbers | others | (blanks & ~forward(previous.joined_blanks, blanks));
    add_last_blanks(k, blanks & ~c.line_ends);
    previous = {c, blanks, lone_others, carry};
  }

  // \s+(?!\S): a run of blanks leaves its last one to the word behind it. Not at the end of the text.
  void add_last_blanks(std::size_t k, Bits blanks) {
    const Bits next = k + 1 < classes_.size() ? not_blank(classes_[k + 1]) : 0;
    Bits last = blanks & backward(not_blank(classes_[k]), next);
    const Bits inside = last & classes_[k].continued;  // a blank of several bytes: its first one
    starts_[k] |= last & ~inside;
    for (Bits bits = inside; bits != 0; bits &= bits - 1) set(first_byte(position(k, bits)));
  }

  // \s*[\r\n]+: blanks behind the last line end of a run begin a word.
  void add_lines(std::size_t k) {
    const Bits before = k > 0 ? classes_[k - 1].line_ends : 0;
    Bits indented = classes_[k].blanks & ~classes_[k].line_ends & forward(before, classes_[k].line_ends);
    for (; indented != 0; indented &= indented - 1) {
      const std::size_t at = position(k, indented);
      const std::size_t end = run_end(at, [](const ByteClasses& c) { return c.blanks & ~c.line_ends; });
      if (end == text_.size() || !has(classes_[end / block_size].line_ends, end)) set(at);
    }
  }

  // \p{N}{1,3}
  void add_digits(std::size_t k, std::size_t digits) {
    Bits runs = classes_[k].numbers & ~forward(k > 0 ? classes_[k - 1].numbers : 0, classes_[k].numbers);
    for (; runs != 0; runs &= runs - 1) {
      const std::size_t begin = position(k, runs);
      const std::size_t end = run_end(begin, [](const ByteClasses& c) { return c.numbers; });
      std::size_t characters = 0;
      for (std::size_t at = begin; at < end; ++at) {
        if (has(classes_[at / block_size].continued, at)) continue;
        if (characters++ % digits == 0) set(at);
      }
    }
  }

  // 's 't 're 've 'm 'll 'd where a word begins with the apostrophe: a word of its own, the letters behind another.
  void add_contractions(bool any_case) {
    for (std::size_t k = 0; k < classes_.size(); ++k) {
      for (Bits bits = classes_[k].apostrophes & starts_[k]; bits != 0; bits &= bits - 1) {
        const std::size_t at = position(k, bits);
        const std::size_t size = contraction_size(text_.substr(at), any_case);
        if (size == 0) continue;
        clear(at + 1);
        const std::size_t end = at + size;
        if (end < text_.size() && has(classes_[end / block_size].letters, end)) set(end);
      }
    }
  }

  // Of the contraction that `text` begins with, 0 for none. In any case, the long s (U+017F) is an s.
  static std::size_t contraction_size(std::string_view text, bool any_case) {
    const auto letter = [&](std::size_t i) {
      const char c = i < text.size() ? text[i] : '\0';
      return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    const char first = letter(1), second = letter(2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) return 3;
    return any_case && text.substr(1, 2) == "\xC5\xBF" ? 3 : 0;
  }

  static std::size_t position(std::size_t k, Bits bits) {  // of the lowest bit
    return k * block_size + static_cast<std::size_t>(std::countr_zero(bits));
  }
  static bool has(Bits bits, std::size_t at) { return bits >> (at % block_size) & 1; }
  void set(std::size_t at) { starts_[at / block_size] |= Bits{1} << (at % block_size); }
  void clear(std::size_t at) { starts_[at / block_size] &= ~(Bits{1} << (at % block_size)); }

  std::size_t first_byte(std::size_t at) const {
    while (has(classes_[at / block_size].continued, at)) --at;
    return at;
  }

  // Behind the run that holds `at` of bytes that `member` chooses.
  template <class Member>
  std::size_t run_end(std::size_t at, Member member) const {
    std::size_t k = at / block_size;
    Bits outside = ~member(classes_[k]) & ~Bits{0} << (at % block_size);
    while (outside == 0 && ++k < classes_.size()) outside = ~member(classes_[k]);
    return outside == 0 ? text_.size() : std::min(position(k, outside), text_.size());
  }

  std::string_view text_;
  std::span<const ByteClasses> classes_;
  std::span<Bits> starts_;
};

}  // namespace

void find_word_starts(std::string_view text, std::span<const ByteClasses> classes, WordPattern pattern,
                      std::span<std::uint64_t> starts) {
  StartFinder finder(text, classes, starts);
  if (pattern == WordPattern::gpt2) return finder.gpt2();
  finder.llama3(pattern == WordPattern::llama3 ? 3 : 1);
}

std::size_t last_safe_cut(std::span<const ByteClasses> classes) {
  for (std::size_t k = classes.size(); k-- > 0;) {
    const ByteClasses& c = classes[k];
    const Bits before = forward(k > 0 ? classes[k - 1].letters : 0, c.letters);
    const Bits behind = backward(c.letters, k + 1 < classes.size() ? classes[k + 1].letters : 0);
    const Bits cuts = (c.spaces | c.line_ends) & before & behind;
    if (cuts != 0) return k * block_size + 63 - static_cast<std::size_t>(std::countl_zero(cuts));
  }
  return 0;
}

}  // namespace attune
