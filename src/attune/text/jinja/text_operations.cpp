#include "attune/text/jinja/text_operations.h"

#include <algorithm>

#include "attune/text/unicode.h"

namespace attune::jinja {

Text stripped(const Text& text, std::optional<std::string_view> characters, Side side) {
  const auto goes = [&](CodePoint c, std::string_view bytes) {
    if (!characters) return is_python_space(c.value);
    for (std::size_t at = 0; at < characters->size(); at += code_point_at(*characters, at).size) {
      if (characters->substr(at).starts_with(bytes)) return true;
    }
    return false;
  };
  const std::string_view bytes = text.view();
  std::size_t begin = 0, end = bytes.size();
  while (side != Side::right && begin < end) {
    const CodePoint c = code_point_at(bytes, begin);
    if (!goes(c, bytes.substr(begin, c.size))) break;
    begin += c.size;
  }
  while (side != Side::left && begin < end) {
    const CodePoint c = code_point_before(bytes, end);
    if (!goes(c, bytes.substr(end - c.size, c.size))) break;
    end -= c.size;
  }
  return text.slice(begin, end);
}

Text replaced(const Text& text, std::string_view old, const Text& by, std::int64_t most) {
  const std::string_view bytes = text.view();
  Text out;
  out.markup = text.markup;
  std::size_t at = 0;
  for (std::int64_t count = 0; most < 0 || count < most; ++count) {
    if (old.empty()) {  // before every character and at the end
      if (at > bytes.size() || (count > 0 && at == bytes.size())) break;
      if (count > 0) {
        const std::size_t next = at + code_point_at(bytes, at).size;
        out.append(text, at, next);
        at = next;
      }
      out.append(by);
      continue;
    }
    const std::size_t found = bytes.find(old, at);
    if (found == bytes.npos) break;
    out.append(text, at, found);
    out.append(by);
    at = found + old.size();
  }
  out.append(text, std::min(at, bytes.size()), bytes.size());
  return out;
}

std::vector<Text> split(const Text& text, std::optional<std::string_view> separator, std::int64_t most) {
  const std::string_view bytes = text.view();
  std::vector<Text> pieces;
  std::size_t at = 0;
  const auto may_cut = [&] { return most < 0 || static_cast<std::int64_t>(pieces.size()) < most; };
  if (separator) {
    for (std::size_t found = bytes.find(*separator); found != bytes.npos && may_cut();
         found = bytes.find(*separator, at)) {
      pieces.push_back(text.slice(at, found));
      at = found + separator->size();
    }
    pieces.push_back(text.slice(at, bytes.size()));
    return pieces;
  }
  const auto skip = [&](std::size_t from, bool blanks) {
    while (from < bytes.size()) {
      const CodePoint c = code_point_at(bytes, from);
      if (is_python_space(c.value) != blanks) break;
      from += c.size;
    }
    return from;
  };
  for (at = skip(0, true); at < bytes.size() && may_cut();) {
    const std::size_t end = skip(at, false);
    pieces.push_back(text.slice(at, end));
    at = skip(end, true);
  }
  if (at < bytes.size()) pieces.push_back(stripped(text.slice(at, bytes.size()), std::nullopt, Side::right));
  return pieces;
}

std::vector<Text> split_from_right(const Text& text, std::optional<std::string_view> separator, std::int64_t most) {
  std::vector<Text> pieces = split(text, separator);
  if (most < 0 || static_cast<std::int64_t>(pieces.size()) <= most + 1) return pieces;
  // Join what is too much on the left again: its end is where the last pieces begin.
  const auto kept = static_cast<std::size_t>(most);
  const std::string_view bytes = text.view();
  std::size_t end = bytes.size();
  for (std::size_t i = 0; i < kept; ++i) {
    const std::string_view piece = pieces[pieces.size() - 1 - i].view();
    if (separator) {
      end -= piece.size() + separator->size();
    } else {
      end = bytes.substr(0, end).rfind(piece);
    }
  }
  Text head = text.slice(0, end);
  if (!separator) head = stripped(head, std::nullopt, Side::both);
  std::vector<Text> result = {std::move(head)};
  result.insert(result.end(), pieces.end() - static_cast<std::ptrdiff_t>(kept), pieces.end());
  return result;
}

std::vector<Text> lines(const Text& text, bool keep_ends) {
  const std::string_view bytes = text.view();
  std::vector<Text> result;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint c = code_point_at(bytes, at);
    const std::size_t end = at;
    at += c.size;
    const bool ends = (c.value >= 0x0A && c.value <= 0x0D) || (c.value >= 0x1C && c.value <= 0x1E) || c.value == 0x85 ||
                      c.value == 0x2028 || c.value == 0x2029;
    if (!ends) continue;
    if (c.value == '\r' && at < bytes.size() && bytes[at] == '\n') ++at;
    result.push_back(text.slice(begin, keep_ends ? at : end));
    begin = at;
  }
  if (begin < bytes.size()) result.push_back(text.slice(begin, bytes.size()));
  return result;
}

Text recased(const Text& text, std::string (*change)(std::string_view)) {
  const std::string changed = change(text.view());
  Text out;
  if (changed.size() == text.size()) {
    text.runs([&](std::size_t begin, std::size_t end, Mark mark) {
      out.append(std::string_view(changed).substr(begin, end - begin), mark);
    });
  } else {
    Mark strictest = 0, generated = 0;
    text.runs([&](std::size_t, std::size_t, Mark mark) {
      strictest = std::max<Mark>(strictest, mark & origin_bits);
      generated |= mark & generated_bit;
    });
    out.append(changed, static_cast<Mark>(strictest | generated));
  }
  out.markup = text.markup;
  return out;
}

}  // namespace attune::jinja
