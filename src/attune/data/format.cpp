#include "attune/data/format.h"

#include <algorithm>
#include <set>

#include "attune/base/errors.h"
#include "attune/data/native.h"

namespace attune {
namespace {

struct Score {
  const PartRow<Format>* format = nullptr;
  double value = 0;
};

// Mean fit over the rows, best first.
std::vector<Score> scores(const std::vector<Row>& rows) {
  std::vector<Score> result;
  for (const auto& part : part_rows<Format>()) {
    const auto format = part.part->make();
    double sum = 0;
    for (const Row& row : rows) sum += format->recognises(row);
    result.push_back({&part, rows.empty() ? 0 : sum / static_cast<double>(rows.size())});
  }
  std::stable_sort(result.begin(), result.end(), [](const Score& a, const Score& b) { return a.value > b.value; });
  return result;
}

// Path of the first place where two values differ; empty when they are equal.
std::string first_difference(const Json& a, const Json& b, const std::string& path) {
  if (a == b) return {};
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.members()) {
      const std::string inner = path.empty() ? key : path + '.' + key;
      const Json* other = b.find(key);
      if (other == nullptr) return inner;
      if (const std::string found = first_difference(value, *other, inner); !found.empty()) return found;
    }
    for (const auto& [key, value] : b.members()) {
      if (a.find(key) == nullptr) return path.empty() ? key : path + '.' + key;
    }
  }
  if (a.is_array() && b.is_array()) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const std::string inner = path + '[' + std::to_string(i) + ']';
      if (i >= b.size()) return inner;
      if (const std::string found = first_difference(a.items()[i], b.items()[i], inner); !found.empty()) return found;
    }
  }
  return path;
}

std::set<std::string> keys_of(const std::vector<Row>& rows) {
  std::set<std::string> keys;
  for (const Row& row : rows) {
    for (const RawMember& column : row.columns) keys.insert(column.key);
  }
  return keys;
}

std::string columns_seen(const std::vector<Row>& rows) {
  constexpr std::size_t most = 12;
  const std::set<std::string> keys = keys_of(rows);
  if (keys.empty()) return "rows without columns";
  std::string text = "rows of an unknown format, with the columns ";
  std::size_t count = 0;
  for (const std::string& key : keys) {
    if (count == most) break;
    text += (count++ > 0 ? ", " : "") + key;
  }
  return keys.size() > most ? text + ", ..." : text;
}

// The format whose columns are nearly there, most of them and few others, or the names of all formats.
std::string nearest_formats(const std::vector<Row>& rows) {
  const std::set<std::string> keys = keys_of(rows);
  std::string best, all;
  double most = 0;
  for (const auto& part : part_rows<Format>()) {
    const std::string columns = part.part->make()->columns();
    double near = 0, count = 0;
    for (std::size_t begin = 0; begin < columns.size();) {
      const std::size_t end = std::min(columns.find_first_of(", (", begin), columns.size());
      if (end > begin) ++count;
      if (end > begin && !nearest(columns.substr(begin, end - begin), keys).empty()) ++near;
      begin = end + 1;
    }
    all += (all.empty() ? "" : ", ") + std::string(part.path);
    if (near == 0 || near * near / count <= most) continue;
    most = near * near / count;
    best = std::string(part.path) + " rows (" + columns + ")";
  }
  return best.empty() ? "one of " + all : "something like " + best;
}

// A copy of a row's text. The last row's memory is used again when nobody holds that row any more: a stream of rows
// then costs no allocation for its texts.
std::shared_ptr<const std::string> shared_text(std::string_view text) {
  constexpr std::size_t largest_kept = std::size_t{1} << 20;
  thread_local std::shared_ptr<std::string> last;
  if (last.use_count() != 1 || last->capacity() > largest_kept) last = std::make_shared<std::string>();
  last->assign(text);
  return last;
}

// The first column whose name stood before, or none. Rows have a few columns: no set is built for them.
const RawMember* repeated(const std::vector<RawMember>& columns) {
  constexpr std::size_t few = 16;
  std::set<std::string_view> keys;
  for (auto column = columns.begin(); column != columns.end(); ++column) {
    const bool again = columns.size() <= few ? std::any_of(columns.begin(), column,
                                                           [&](const auto& one) { return one.key == column->key; })
                                             : !keys.insert(column->key).second;
    if (again) return &*column;
  }
  return nullptr;
}

Record without_sources(Record record) {
  for (Node& node : record.nodes) node.source = -1;
  return record;
}

}  // namespace

void RowContext::fail(std::string field, std::string found, std::string expected) {
  problems_.push_back({file_, row_, std::move(field), std::move(found), std::move(expected)});
}

void RowContext::fail_type(const std::string& field, const Json& value, std::string expected) {
  fail(field, std::string(value.type_name()), std::move(expected));
}

std::int32_t RowContext::source(std::string layout) {
  if (last_source_ < 0 || layout != last_layout_) {  // nearly always the layout of the row before
    last_source_ = builder_->source({.path = file_, .format = format_, .layout = layout});
    last_layout_ = std::move(layout);
  }
  return last_source_;
}

void RowContext::start_row(std::int64_t row) {
  row_ = row;
  problems_.clear();
  notes_.clear();
}

const PartRow<Format>& format_named(std::string_view name) {
  if (const auto* row = find_part<Format>(name)) return *row;
  std::vector<std::string> names;
  for (const auto& row : part_rows<Format>()) names.emplace_back(row.path);
  std::string all;
  for (const std::string& known : names) all += (all.empty() ? "" : ", ") + known;
  const std::string near = nearest(name, names);
  throw UsageError({}, "the unknown format '" + std::string(name) + "'", near.empty() ? "one of " + all : near);
}

const PartRow<Format>& recognise(const std::vector<Row>& rows, const std::string& file) {
  const std::vector<Score> all = scores(rows);
  if (all.empty() || all[0].value <= 0) {
    throw DataError({.file = file}, columns_seen(rows), nearest_formats(rows),
                    "name it with --format, or convert the rows");
  }
  if (all.size() > 1 && all[1].value >= all[0].value) {
    throw DataError(
        {.file = file},
        "rows that could be " + std::string(all[0].format->path) + " or " + std::string(all[1].format->path),
        "rows of one format", "name it with --format");
  }
  return *all[0].format;
}

LossCheck::LossCheck(const Format& format, const Dataset& dataset)
    : format_(format), dataset_(dataset), builder_(dataset), context_(builder_, "", "") {
  Dataset& header = context_.header();
  header.annotators = dataset.annotators;
  header.scales = dataset.scales;
  header.rubrics = dataset.rubrics;
  header.sources = dataset.sources;
}

std::optional<std::string> LossCheck::lost(const Record& record) {
  const std::vector<std::string> rows = format_.write(record, dataset_);
  if (rows.empty()) return "record";
  if (rows.size() > 1) return record.feedback.size() > 1 ? "feedback" : "completions";
  context_.start_row(1);
  RowProblem problem;
  const auto row = parse_row(rows.front(), problem);
  const auto again = row ? format_.read(*row, context_) : std::nullopt;
  if (!again || context_.failed()) {
    const auto problems = context_.take_problems();
    return problems.empty() || problems.front().field.empty() ? "record" : problems.front().field;
  }
  const Record before = without_sources(record), after = without_sources(*again);
  if (before == after) return std::nullopt;
  const std::string field = first_difference(Json::parse(to_native(before)), Json::parse(to_native(after)), "");
  return field.empty() ? "record" : field;
}

std::optional<Row> parse_row(std::string_view text, RowProblem& problem) {
  Row row;
  try {
    row.value = Json::parse(text);
  } catch (const JsonSyntaxError& error) {
    problem.found = "broken JSON: " + error.reason;
    problem.expected = "one whole JSON object";
    return std::nullopt;
  }
  if (!row.value.is_object()) {
    problem.found = row.value.type_name();
    problem.expected = "an object";
    return std::nullopt;
  }
  row.text = shared_text(text);
  row.columns = raw_members(*row.text);
  if (const RawMember* again = repeated(row.columns)) {
    problem.field = again->key;
    problem.found = "the same column twice";
    problem.expected = "each column once";
    return std::nullopt;
  }
  return row;
}

}  // namespace attune
