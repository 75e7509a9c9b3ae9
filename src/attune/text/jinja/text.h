// The strings of a template run: bytes, and for each byte whose it is.
//
// Marks travel with the bytes through slicing, trimming, replacing and joining, so that after rendering it is known
// which characters a user wrote (they never become control tokens) and which an assistant must produce ({% generation
// %}).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attune::jinja {

using Mark = std::uint8_t;
constexpr Mark origin_bits = 3;    // attune::Origin
constexpr Mark generated_bit = 4;  // inside {% generation %}

class Text {
 public:
  Text() = default;
  explicit Text(std::string bytes, Mark mark = 0);

  std::string_view view() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  Mark mark_at(std::size_t at) const;  // 0 behind the end

  void append(std::string_view bytes, Mark mark = 0);
  void append(const Text& other) { append(other, 0, other.size()); }
  void append(const Text& other, std::size_t begin, std::size_t end);  // that slice of it
  Text slice(std::size_t begin, std::size_t end) const;
  Text with_bits(Mark bits) const;  // every byte's mark with these bits set

  // Calls visit(begin, end, mark) for each run of equal marks.
  template <class Visit>
  void runs(Visit visit) const {
    std::size_t begin = 0;
    for (const Run& run : runs_) {
      visit(begin, run.end, run.mark);
      begin = run.end;
    }
    if (begin < size()) visit(begin, size(), Mark{0});
  }

  // Safe for HTML already (jinja2's Markup): `+` escapes what is added to it.
  bool markup = false;

 private:
  struct Run {
    std::size_t end = 0;
    Mark mark = 0;
  };
  std::string bytes_;
  std::vector<Run> runs_;  // ascending; empty: all marks are 0
};

// &, <, >, ' and " as HTML writes them; the result is markup.
Text escaped_html(const Text& text);

}  // namespace attune::jinja
