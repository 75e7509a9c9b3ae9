#include "attune/data/raw_json.h"

#include <algorithm>
#include <cstdint>

#include "attune/base/json.h"

namespace attune {
namespace {

// Reads valid JSON from front to back; every loop is bounded by the text's end all the same.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view string() {  // with its quotes
    skip_blanks();
    const std::size_t begin = at_++;
    do at_ = std::min(text_.find('"', at_), text_.size()) + 1;
    while (at_ < text_.size() && is_escaped(at_ - 1, begin));
    return text_.substr(begin, at_ - begin);
  }
  std::string_view value() {
    skip_blanks();
    if (at_ >= text_.size()) return {};
    if (text_[at_] == '"') return string();
    const std::size_t begin = at_;
    std::int64_t depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        string();
        --at_;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        if (depth == 0) break;
        if (--depth == 0) {
          ++at_;
          break;
        }
      } else if (depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
        break;
      }
    }
    return text_.substr(begin, at_ - begin);
  }
  bool done() const { return at_ >= text_.size(); }

 private:
  // Whether an odd number of backslashes stands before the quote at `quote` of the string that begins at `begin`.
  bool is_escaped(std::size_t quote, std::size_t begin) const {
    std::size_t first = quote;
    while (first > begin + 1 && text_[first - 1] == '\\') --first;
    return (quote - first) % 2 == 1;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string unquoted(std::string_view quoted) {
  if (quoted.size() < 2) return {};
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  return Json::parse(quoted).string();
}

}  // namespace

std::vector<RawMember> raw_members(std::string_view object) {
  std::vector<RawMember> members;
  Cursor cursor(object);
  if (!cursor.take('{') || cursor.take('}')) return members;
  do {
    std::string key = unquoted(cursor.string());
    cursor.take(':');
    members.push_back({std::move(key), cursor.value()});
  } while (cursor.take(',') && !cursor.done());
  return members;
}

std::vector<std::string_view> raw_items(std::string_view list) {
  std::vector<std::string_view> items;
  Cursor cursor(list);
  if (!cursor.take('[') || cursor.take(']')) return items;
  do {
    items.push_back(cursor.value());
  } while (cursor.take(',') && !cursor.done());
  return items;
}

RawObject& RawObject::add(std::string_view key, std::string_view raw_value) {
  if (!text_.empty()) text_ += ',';
  text_ += json_quote(key);
  text_ += ':';
  text_ += raw_value;
  return *this;
}

RawObject& RawObject::add_all(std::string_view raw_object) {
  for (const RawMember& member : raw_members(raw_object)) add(member.key, member.value);
  return *this;
}

std::string_view raw_member(std::string_view object, std::string_view key) {
  std::string_view found;
  for (const RawMember& member : raw_members(object)) {
    if (member.key == key) found = member.value;
  }
  return found;
}

}  // namespace attune
