#include "attune/text/pipeline/mapped_text.h"

#include <algorithm>

#include "attune/text/unicode.h"

namespace attune {

MappedText::MappedText(std::string text, bool tracked, bool at_start)
    : text_(std::move(text)), tracked_(tracked), head_(at_start ? code_point_at(text_, 0).size : 0) {}

MappedText::Source MappedText::source_of(std::size_t at) const {
  if (!sources_.empty()) return sources_[at];
  return {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + 1)};
}

ByteSpan MappedText::source(std::size_t begin, std::size_t end) const {
  if (!tracked_ || text_.empty()) return {0, 0};
  if (begin < end) {
    const Source first = source_of(begin), last = source_of(end - 1);
    return {first.begin, std::max(first.end, last.end)};
  }
  const std::size_t at = begin < size() ? source_of(begin).begin : source_of(size() - 1).end;
  return {at, at};
}

MappedText MappedText::part(std::size_t begin, std::size_t end) const {
  MappedText result(text_.substr(begin, end - begin), tracked_, false);
  result.head_ = std::min(end, std::max(head_, begin)) - begin;
  if (tracked_ && (begin > 0 || !sources_.empty())) {
    for (std::size_t i = begin; i < end; ++i) result.sources_.push_back(source_of(i));
  }
  return result;
}

TextEdit::TextEdit(const MappedText& from) : from_(from), to_({}, from.tracked_, false) {
  to_.text_.reserve(from.size() + from.size() / 4 + 4);
}

void TextEdit::keep(std::size_t begin, std::size_t end) {
  if (to_.size() == to_.head_ && begin < from_.head_) to_.head_ += std::min(end, from_.head_) - begin;
  to_.text_.append(from_.text_, begin, end - begin);
  if (!to_.tracked_) return;
  for (std::size_t i = begin; i < end; ++i) to_.sources_.push_back(from_.source_of(i));
}

void TextEdit::put(std::string_view bytes, std::size_t begin, std::size_t end) {
  if (to_.size() == to_.head_ && begin < from_.head_) to_.head_ += bytes.size();
  to_.text_ += bytes;
  if (!to_.tracked_) return;
  const ByteSpan span = from_.source(begin, end);
  to_.sources_.insert(to_.sources_.end(), bytes.size(),
                      {static_cast<std::uint32_t>(span.begin), static_cast<std::uint32_t>(span.end)});
}

}  // namespace attune
