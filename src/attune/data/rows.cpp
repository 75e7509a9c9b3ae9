#include "attune/data/rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "attune/base/json.h"
#include "attune/data/columnar.h"
#include "attune/data/table.h"

namespace attune {
namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Follows JSON text byte by byte to where its first value ends. Nesting is a counter, never recursion.
class ValueScanner {
 public:
  // Takes bytes from `text` on; the number taken when the value ended inside, npos when it goes on behind.
  std::size_t scan(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (in_string_) {
        if (escaped_) {
          escaped_ = false;
        } else if (c == '\\') {
          escaped_ = true;
        } else if (c == '"') {
          in_string_ = false;
          if (depth_ == 0) return i + 1;
        }
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if (c == '}' || c == ']') {
        if (depth_ == 0) return i;  // closes the list around a bare word or number
        if (--depth_ == 0) return i + 1;
      } else if (depth_ == 0 && (c == ',' || is_blank(c))) {
        return i;
      }
    }
    return std::string_view::npos;
  }
  bool in_string() const { return in_string_; }

 private:
  std::int64_t depth_ = 0;
  bool in_string_ = false, escaped_ = false;
};

}  // namespace

RowLayout row_layout_of(const Path& path) {
  const Path name = compression_of(path) == Compression::none ? path : path.stem();
  if (name.extension() == ".csv") return RowLayout::csv;
  if (name.extension() == ".tsv") return RowLayout::tsv;
  return name.extension() == ".json" ? RowLayout::document : RowLayout::lines;
}

RowReader open_rows(const Path& path, const ReadLimits& limits) {
  if (const auto kind = columnar_kind(path)) {
    return RowReader(open_columnar(path, *kind, limits), RowLayout::lines, limits);
  }
  return RowReader(open_bytes(path, limits), row_layout_of(path), limits);
}

RowReader::RowReader(std::unique_ptr<ByteStream> stream, RowLayout layout, const ReadLimits& limits)
    : stream_(std::move(stream)), layout_(layout), limit_(limits.row_bytes) {
  if (layout != RowLayout::csv && layout != RowLayout::tsv) return;
  stream_ = table_as_lines(std::move(stream_), layout == RowLayout::csv ? ',' : '\t', limits);
  layout_ = RowLayout::lines;
}

bool RowReader::next(RawRow& row) {
  if (!started_) {
    started_ = true;
    while (buffer_.size() < 4 && fill()) {
    }
    refuse_what_is_no_text();
    if (buffer_.starts_with("\xEF\xBB\xBF")) begin_ = 3;
    const std::size_t first = buffer_.find_first_not_of(" \t\r\n", begin_);
    if (first != std::string::npos && buffer_[first] == '[') layout_ = RowLayout::document;  // whatever its name
    keyed_ = layout_ == RowLayout::document && is_keyed();
  }
  row = RawRow{};
  return layout_ == RowLayout::lines ? next_line(row) : next_element(row);
}

bool RowReader::fill() {
  if (ended_) return false;
  if (begin_ > 0) buffer_.erase(0, std::exchange(begin_, 0));
  const std::size_t size = buffer_.size();
  buffer_.resize(size + block_bytes);
  std::size_t count = 0;
  try {
    count = stream_->read({buffer_.data() + size, block_bytes});
  } catch (...) {
    buffer_.resize(size);
    throw;
  }
  buffer_.resize(size + count);
  ended_ = count == 0;
  return !ended_;
}

void RowReader::refuse_what_is_no_text() {
  const std::string_view head = buffer_;
  if (head.starts_with("PAR1") || head.starts_with("ARRO") || head.starts_with("\xFF\xFF\xFF\xFF")) {
    throw DamagedStream{head.starts_with("PAR1") ? "Parquet data in a stream" : "Arrow data in a stream",
                        "an uncompressed file of its own, by its path"};
  }
  const std::string_view wide[] = {{"\xFF\xFE", 2}, {"\xFE\xFF", 2}, {"{\0", 2}, {"\0{", 2}, {"[\0", 2}, {"\0[", 2}};
  const bool thirty_two =
      head.starts_with(std::string_view("\xFF\xFE\0\0", 4)) || head.starts_with(std::string_view("\0\0\xFE\xFF", 4));
  for (const auto& start : wide) {
    if (!thirty_two && !head.starts_with(start)) continue;
    throw DamagedStream{thirty_two ? "text in UTF-32" : "text in UTF-16", "text in UTF-8"};
  }
}

void RowReader::finish(RawRow& row, std::size_t begin, std::size_t end) const {
  row.text = std::string_view(buffer_).substr(begin, end - begin);
  if (const std::size_t bad = utf8_error(row.text); bad < row.text.size()) {
    static constexpr char hex[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(row.text[bad]);
    row.problem = std::string("invalid UTF-8: byte 0x") + hex[byte >> 4] + hex[byte & 15] + " at byte " +
                  std::to_string(bad + 1) + " of the row";
    row.expected = "UTF-8 (is the file in Latin-1?)";
  }
}

bool RowReader::next_line(RawRow& row) {
  std::size_t searched = 0;  // bytes behind begin_ known to hold no newline
  bool too_long = false;
  while (true) {
    const std::size_t newline = buffer_.find('\n', begin_ + searched);
    if (newline == std::string::npos) {
      searched = buffer_.size() - begin_;
      if (searched > limit_) {  // forget it and look for its end
        too_long = true;
        begin_ = buffer_.size();
        searched = 0;
      }
      if (fill()) continue;
      if (begin_ == buffer_.size() && !too_long) return false;
    }
    const bool last = newline == std::string::npos;
    const std::size_t begin = begin_;
    std::size_t end = last ? buffer_.size() : newline;
    begin_ = last ? end : end + 1;
    row.line = line_++;
    if (too_long || end - begin > limit_) {
      row.problem = "a line of more than " + std::to_string(limit_ >> 20) + " MiB";
      row.expected = "one row a line";
      return true;
    }
    if (end > begin && buffer_[end - 1] == '\r') --end;
    const bool blank = std::all_of(buffer_.begin() + static_cast<std::ptrdiff_t>(begin),
                                   buffer_.begin() + static_cast<std::ptrdiff_t>(end), is_blank);
    if (blank && last) return false;
    searched = 0;
    if (blank) continue;
    finish(row, begin, end);
    return true;
  }
}

// {"7": {: an object of objects by numbers.
bool RowReader::is_keyed() const {
  const std::string_view head = std::string_view(buffer_).substr(begin_);
  std::size_t at = 0;
  const auto take = [&](char c) {
    at = std::min(head.find_first_not_of(" \t\r\n", at), head.size());
    return at < head.size() && head[at++] == c;
  };
  if (!take('{') || !take('"')) return false;
  const std::size_t digits = at;
  at = std::min(head.find_first_not_of("0123456789", at), head.size());
  return at > digits && take('"') && take(':') && take('{');
}

// Moves to the next member's value and keeps its key; false at the end of the file.
bool RowReader::skip_to_keyed_element() {
  bool in_key = false, has_key = false;
  key_.clear();
  while (true) {
    if (begin_ == buffer_.size() && !fill()) return false;
    const char c = buffer_[begin_];
    if (c == '\n') ++line_;
    if (in_key) {
      if (c == '"') {
        in_key = false;
        has_key = true;
      } else {
        key_ += c;
      }
    } else if (c == '{' && !any_) {
      in_list_ = any_ = true;
    } else if (c == ',' && in_list_ && !has_key) {
      comma_ = true;
    } else if (c == '}' && in_list_ && !has_key) {
      in_list_ = false;
      list_ended_ = true;
    } else if (c == '"' && in_list_ && !has_key) {
      in_key = true;
    } else if (!is_blank(c) && !(c == ':' && has_key)) {
      return true;
    }
    ++begin_;
  }
}

// Moves to the next element's first byte; false at the end of the file.
bool RowReader::skip_to_element() {
  while (true) {
    if (begin_ == buffer_.size() && !fill()) return false;
    const char c = buffer_[begin_];
    if (c == '\n') ++line_;
    if (c == '[' && !any_) {
      in_list_ = any_ = true;
    } else if (c == ',' && in_list_) {
      comma_ = true;
    } else if (c == ']' && in_list_) {
      in_list_ = false;
      list_ended_ = true;
    } else if (!is_blank(c)) {
      return true;
    }
    ++begin_;
  }
}

bool RowReader::next_element(RawRow& row) {
  if (!(keyed_ ? skip_to_keyed_element() : skip_to_element())) {
    if (!in_list_) return false;
    in_list_ = false;
    row.line = line_;
    row.problem = keyed_ ? "an object that is cut short" : "a list that is cut short";
    row.expected = keyed_ ? "} at its end" : "] at its end";
    return true;
  }
  row.line = line_;
  ValueScanner scanner;
  std::size_t scanned = 0;
  std::size_t size = 0;
  bool cut = false;
  while (true) {
    const std::size_t found = scanner.scan(std::string_view(buffer_).substr(begin_ + scanned));
    if (found != std::string_view::npos) {
      size = scanned + found;
      break;
    }
    scanned = buffer_.size() - begin_;
    if (scanned > limit_) {
      throw DamagedStream{
          "a row of more than " + std::to_string(limit_ >> 20) + " MiB in line " + std::to_string(line_),
          "smaller rows"};
    }
    if (!fill()) {
      size = scanned;
      cut = true;
      break;
    }
  }
  if (size == 0) size = 1;  // a stray bracket or comma: broken JSON, but never an endless loop
  const std::size_t begin = begin_;
  begin_ += size;
  line_ += std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(begin),
                      buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), '\n');
  finish(row, begin, begin_);
  if (keyed_ && row.text.starts_with('{')) {
    const std::string_view inner = row.text.substr(1);
    const bool empty = inner.find_first_not_of(" \t\r\n") == inner.find('}');
    composed_ = "{\"id\":" + json_quote(key_) + (empty ? "" : ",");
    composed_ += inner;
    row.text = composed_;
  }
  if (in_list_ && !comma_ && row.problem.empty()) {
    row.problem = "no comma before this row";
    row.expected = "rows separated by commas";
  }
  any_ = true;
  comma_ = !in_list_;
  if (cut && in_list_) in_list_ = false;  // the row itself is reported as cut
  if (list_ended_ && row.problem.empty()) {
    row.problem = "text after the end of the list";
    row.expected = "one list";
  }
  return true;
}

std::size_t utf8_error(std::string_view text) {
  if (valid_utf8(text)) return text.size();
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80         ? 1
                               : (lead >> 5) == 6  ? 2
                               : (lead >> 4) == 14 ? 3
                               : (lead >> 3) == 30 ? 4
                                                   : 0;
    if (length == 0 || !valid_utf8(text.substr(i, length))) return i;
    i += length;
  }
  return i;
}

}  // namespace attune
