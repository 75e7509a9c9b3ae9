#include "attune/text/jinja/text.h"

#include <algorithm>

namespace attune::jinja {

Text::Text(std::string bytes, Mark mark) : bytes_(std::move(bytes)) {
  if (mark != 0 && !bytes_.empty()) runs_.push_back({bytes_.size(), mark});
}

Mark Text::mark_at(std::size_t at) const {
  const auto run = std::upper_bound(runs_.begin(), runs_.end(), at,
                                    [](std::size_t value, const Run& one) { return value < one.end; });
  return run == runs_.end() ? Mark{0} : run->mark;
}

void Text::append(std::string_view bytes, Mark mark) {
  if (bytes.empty()) return;
  const std::size_t old = size();
  bytes_ += bytes;
  if (runs_.empty() && mark == 0) return;
  if (old > 0 && (runs_.empty() || runs_.back().end < old)) runs_.push_back({old, 0});
  if (!runs_.empty() && runs_.back().mark == mark) {
    runs_.back().end = size();
  } else {
    runs_.push_back({size(), mark});
  }
}

void Text::append(const Text& other, std::size_t begin, std::size_t end) {
  if (other.runs_.empty()) return append(other.view().substr(begin, end - begin));
  std::size_t at = begin;
  auto run = std::upper_bound(other.runs_.begin(), other.runs_.end(), begin,
                              [](std::size_t value, const Run& one) { return value < one.end; });
  for (; run != other.runs_.end() && at < end; ++run) {
    const std::size_t stop = std::min(run->end, end);
    append(other.view().substr(at, stop - at), run->mark);
    at = stop;
  }
  append(other.view().substr(at, end - at));
}

Text Text::slice(std::size_t begin, std::size_t end) const {
  Text result;
  result.markup = markup;
  if (begin < end) result.append(*this, begin, end);
  return result;
}

Text Text::with_bits(Mark bits) const {
  Text result;
  runs([&](std::size_t begin, std::size_t end, Mark mark) {
    result.append(view().substr(begin, end - begin), static_cast<Mark>(mark | bits));
  });
  return result;
}

Text escaped_html(const Text& text) {
  Text result;
  result.markup = true;
  text.runs([&](std::size_t begin, std::size_t end, Mark mark) {
    for (const char& c : text.view().substr(begin, end - begin)) {
      switch (c) {
        case '&':
          result.append("&amp;", mark);
          break;
        case '<':
          result.append("&lt;", mark);
          break;
        case '>':
          result.append("&gt;", mark);
          break;
        case '\'':
          result.append("&#39;", mark);
          break;
        case '"':
          result.append("&#34;", mark);
          break;
        default:
          result.append(std::string_view(&c, 1), mark);
      }
    }
  });
  return result;
}

}  // namespace attune::jinja
