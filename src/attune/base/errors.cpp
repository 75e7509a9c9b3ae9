#include "attune/base/errors.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "attune/base/json.h"

namespace attune {
namespace {

struct Row {
  ErrorKind kind;
  std::string_view name;
  int exit_code;
};

constexpr std::array<Row, 12> rows{{{ErrorKind::usage, "usage", 2},
                                    {ErrorKind::data, "data", 65},
                                    {ErrorKind::format, "format", 65},
                                    {ErrorKind::missing_input, "missing-input", 66},
                                    {ErrorKind::peer, "peer", 69},
                                    {ErrorKind::internal, "internal", 70},
                                    {ErrorKind::device, "device", 71},
                                    {ErrorKind::output, "output", 73},
                                    {ErrorKind::io, "io", 74},
                                    {ErrorKind::interrupted, "interrupted", 75},
                                    {ErrorKind::permission, "permission", 77},
                                    {ErrorKind::config, "config", 78}}};

// A message is one line whatever stands in a path or a key.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

}  // namespace

int exit_code(ErrorKind kind) { return rows[static_cast<std::size_t>(kind)].exit_code; }
std::string_view name(ErrorKind kind) { return rows[static_cast<std::size_t>(kind)].name; }

std::string Where::str() const {
  std::string text = file;
  if (line >= 0) text += ":" + std::to_string(line);
  std::string inside;
  const auto add = [&inside](std::string part) { inside += (inside.empty() ? "" : ", ") + std::move(part); };
  if (offset >= 0) add("byte " + std::to_string(offset));
  if (!record.empty()) add("record " + record);
  if (!field.empty()) add("field " + field);
  if (!inside.empty()) text += (text.empty() ? "(" : " (") + inside + ")";
  return text;
}

std::string Problem::str() const {
  std::string text = where.str();
  if (!text.empty()) text += ": ";
  text += "found " + found;
  if (!expected.empty()) text += "; expected " + expected;
  if (!remedy.empty()) text += "; " + remedy;
  return one_line(text);
}

Error::Error(ErrorKind kind, Problem problem) : kind_(kind), problem_(std::move(problem)), message_(problem_.str()) {}

std::string Error::json() const {
  Json error = Json::object();
  error.set("code", std::string(name(kind_)));
  error.set("exit", exit_code(kind_));
  const Where& where = problem_.where;
  if (!where.file.empty()) error.set("file", where.file);
  if (where.line >= 0) error.set("line", where.line);
  if (where.offset >= 0) error.set("offset", where.offset);
  if (!where.record.empty()) error.set("record", where.record);
  if (!where.field.empty()) error.set("field", where.field);
  error.set("found", problem_.found);
  if (!problem_.expected.empty()) error.set("expected", problem_.expected);
  if (!problem_.remedy.empty()) error.set("remedy", problem_.remedy);
  Json out = Json::object();
  out.set("error", std::move(error));
  return out.str();
}

void require(bool holds, std::string_view what) {
  if (!holds) throw InternalError({}, std::string(what), "", "this is a bug of attune: please report it");
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace attune
