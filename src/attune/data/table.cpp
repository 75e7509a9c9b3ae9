#include "attune/data/table.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/json.h"

namespace attune {
namespace {

constexpr std::size_t bytes_to_type = std::size_t{64} << 10;

struct TableRow {
  std::vector<std::string> cells = {};
  std::int64_t lines = 1;  // of the file, that the row takes
};

std::optional<Json> parsed(const std::string& cell) {
  const char first = cell.front();
  const bool value = std::strchr("-0123456789[{", first) != nullptr || cell == "true" || cell == "false";
  if (!value) return std::nullopt;
  try {
    return Json::parse(cell);
  } catch (const JsonSyntaxError&) {
    return std::nullopt;
  }
}

enum class Kind { unknown, number, boolean, nested, text };

Kind kind_of(const std::string& cell) {
  const auto value = parsed(cell);
  if (!value) return Kind::text;
  return value->is_number() ? Kind::number : value->is_bool() ? Kind::boolean : Kind::nested;
}

class TableStream final : public ByteStream {
 public:
  TableStream(std::unique_ptr<ByteStream> stream, char delimiter, const ReadLimits& limits)
      : stream_(std::move(stream)), delimiter_(delimiter), limit_(limits.row_bytes) {}

  std::size_t read(std::span<char> into) override {
    while (given_ == output_.size()) {
      output_.clear();
      given_ = 0;
      if (!started_) start();
      if (!produce()) return 0;
    }
    const std::size_t count = std::min(into.size(), output_.size() - given_);
    std::memcpy(into.data(), output_.data() + given_, count);
    given_ += count;
    return count;
  }

 private:
  // Reads the header, and the first rows to tell the columns' kinds by.
  void start() {
    started_ = true;
    while (input_.size() < bytes_to_type && fill()) {
    }
    if (input_.find('\0') != std::string::npos) throw DamagedStream{"a table with zero bytes", "text in UTF-8"};
    if (input_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    look_at_first_line();
    auto header = next_row();
    if (!header) return;
    if (is_headerless(header->cells)) {
      header_ = {"#id", "labels", "better", "worse"};
      first_.push_back(std::move(*header));
    } else {
      header_ = std::move(header->cells);
      output_.append(static_cast<std::size_t>(header->lines), '\n');
    }
    kinds_.assign(header_.size(), Kind::unknown);
    while (consumed_ < bytes_to_type) {
      auto row = next_row();
      if (!row) break;
      for (std::size_t i = 0; i < std::min(row->cells.size(), kinds_.size()); ++i) learn(kinds_[i], row->cells[i]);
      first_.push_back(std::move(*row));
    }
  }

  // Tables of tabs that are called .csv, and those of UKPConvArg, in which quotes are only letters.
  void look_at_first_line() {
    const std::string_view line = std::string_view(input_).substr(at_, input_.find('\n', at_) - at_);
    const bool tabs = line.find('\t') != std::string_view::npos;
    if (delimiter_ == ',' && tabs && line.find(',') > line.find('\t')) delimiter_ = '\t';
    quotes_ = !(tabs && (line.starts_with("#id\t") || is_pair(line.substr(0, line.find('\t')))));
  }
  static bool is_pair(std::string_view cell) {  // arg1_arg2
    return cell.starts_with("arg") && cell.find("_arg") != std::string_view::npos &&
           cell.find_first_not_of("arg_0123456789") == std::string_view::npos;
  }
  static bool is_headerless(const std::vector<std::string>& cells) { return cells.size() == 4 && is_pair(cells[0]); }

  static void learn(Kind& kind, const std::string& cell) {
    if (cell.empty() || kind == Kind::text) return;
    const Kind seen = kind_of(cell);
    kind = kind == Kind::unknown || kind == seen ? seen : Kind::text;
  }

  bool produce() {
    if (next_first_ < first_.size()) {
      write(first_[next_first_]);
      first_[next_first_++] = {};
      return true;
    }
    const auto row = next_row();
    if (row) write(*row);
    return row.has_value() || !output_.empty();
  }

  void write(const TableRow& row) {
    if (row.cells.size() == 1 && row.cells[0].empty()) {  // an empty line
      output_.append(static_cast<std::size_t>(row.lines), '\n');
      return;
    }
    if (row.cells.size() > header_.size()) {
      throw DamagedStream{"a row of " + std::to_string(row.cells.size()) + " cells",
                          std::to_string(header_.size()) + " cells, as the header has"};
    }
    output_ += '{';
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const std::string& cell = row.cells[i];
      output_ += (i > 0 ? "," : "") + json_quote(header_[i]) + ':';
      const bool typed = kinds_[i] != Kind::text && kinds_[i] != Kind::unknown;
      if (typed && cell.empty()) {
        output_ += "null";
      } else if (typed && kind_of(cell) == kinds_[i]) {
        // In one line: newlines inside of JSON lists are blanks.
        output_ += kinds_[i] == Kind::nested ? Json::parse(cell).str() : cell;
      } else {
        output_ += json_quote(cell);
      }
    }
    output_ += '}';
    output_.append(static_cast<std::size_t>(row.lines), '\n');
  }

  bool fill() {
    if (ended_) return false;
    const std::size_t size = input_.size();
    input_.resize(size + bytes_to_type);
    const std::size_t count = stream_->read({input_.data() + size, bytes_to_type});
    input_.resize(size + count);
    ended_ = count == 0;
    return !ended_;
  }

  // The byte at `at_`, or none at the end of the file.
  std::optional<char> peek() {
    if (at_ == input_.size()) {
      if (at_ > 0) input_.erase(0, std::exchange(at_, 0));
      if (!fill()) return std::nullopt;
    }
    return input_[at_];
  }

  std::optional<TableRow> next_row() {
    if (!peek()) return std::nullopt;
    TableRow row;
    std::size_t bytes = 0;
    row.cells.emplace_back();
    bool quoted = false, closed = false;
    for (auto c = peek(); c; c = peek()) {
      ++at_;
      ++consumed_;
      if (++bytes > limit_) {
        throw DamagedStream{"a row of more than " + std::to_string(limit_ >> 20) + " MiB",
                            "smaller rows (does a quote never close?)"};
      }
      std::string& cell = row.cells.back();
      if (quoted) {
        if (*c == '\n') ++row.lines;
        if (*c != '"') {
          cell += *c;
        } else if (peek() == '"') {
          cell += '"';
          ++at_;
        } else {
          quoted = false;
          closed = true;
        }
      } else if (*c == delimiter_) {
        row.cells.emplace_back();
        closed = false;
      } else if (*c == '\n') {
        return row;
      } else if (*c == '\r' && peek().value_or('\n') == '\n') {
        continue;
      } else if (*c == '"' && quotes_ && cell.empty() && !closed) {
        quoted = true;
      } else if (closed) {
        throw DamagedStream{"text behind a closing quote", "the delimiter, or the quote twice"};
      } else {
        cell += *c;
      }
    }
    if (quoted) throw DamagedStream{"a quote that never closes", "an even number of quotes"};
    return row;
  }

  std::unique_ptr<ByteStream> stream_;
  char delimiter_;
  std::size_t limit_;
  std::string input_, output_;
  std::size_t at_ = 0, given_ = 0, consumed_ = 0;
  bool started_ = false, ended_ = false, quotes_ = true;
  std::vector<std::string> header_;
  std::vector<Kind> kinds_;
  std::vector<TableRow> first_;  // read to tell the kinds, not yet written
  std::size_t next_first_ = 0;
};

}  // namespace

std::unique_ptr<ByteStream> table_as_lines(std::unique_ptr<ByteStream> stream, char delimiter,
                                           const ReadLimits& limits) {
  return std::make_unique<TableStream>(std::move(stream), delimiter, limits);
}

}  // namespace attune
