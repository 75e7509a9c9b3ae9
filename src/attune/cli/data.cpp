// attune data: looks at, checks, converts and reports on preference data. No model, no libtorch.
#include <algorithm>
#include <map>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/cli/answer.h"
#include "attune/cli/verbs.h"
#include "attune/data/columns.h"
#include "attune/data/duplicates.h"
#include "attune/data/read.h"
#include "attune/data/write.h"
#include "attune/reports/report.h"

namespace attune {
namespace {

Json problem_json(const RowProblem& problem) {
  return Json::object({{"file", problem.file},
                       {"row", problem.row},
                       {"field", problem.field},
                       {"found", problem.found},
                       {"expected", problem.expected}});
}

Json problems_json(const ReadReport& report) {
  Json list = Json::array();
  for (const RowProblem& problem : report.problems) list.push_back(problem_json(problem));
  return list;
}

Json counts_json(const std::map<std::string, std::int64_t>& counts) {
  Json json = Json::object();
  for (const auto& [key, count] : counts) json.set(key, count);
  return json;
}

std::string problem_line(const RowProblem& problem) {
  const Problem shown{
      {.file = problem.file, .line = problem.row, .field = problem.field}, problem.found, problem.expected};
  return shown.str();
}

// Smallest, median and largest; null without any.
Json spread_json(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return Json::object({{"min", values.front()}, {"median", values[values.size() / 2]}, {"max", values.back()}});
}

std::string format_of(const ReadReport& report) { return report.formats.empty() ? "" : report.formats.front(); }

// The counts of `attune data inspect`, problems aside, taken record by record.
class Summary {
 public:
  void add(const Record& record) {
    ++records_;
    completions_ += std::ssize(record.completions);
    for (const Feedback& feedback : record.feedback) {
      comparisons_ += std::holds_alternative<Comparison>(feedback.what) ? 1 : 0;
      ratings_ += std::holds_alternative<Rating>(feedback.what) ? 1 : 0;
    }
    for (const Node& node : record.nodes) ++roles_[std::string(name(node.message.role))];
    for (const Completion& completion : record.completions) {
      prompt_bytes_.push_back(std::ssize(prompt_text(record, completion)));
      completion_bytes_.push_back(std::ssize(completion_text(record, completion)));
    }
  }
  Json json(std::size_t annotators, const ReadReport& report) const {
    return Json::object({{"format", format_of(report)},
                         {"records", records_},
                         {"completions", completions_},
                         {"comparisons", comparisons_},
                         {"ratings", ratings_},
                         {"annotators", annotators},
                         {"rows", report.rows},
                         {"bad_rows", report.bad_rows},
                         {"roles", counts_json(roles_)},
                         {"bytes", Json::object({{"prompt", spread_json(prompt_bytes_)},
                                                 {"completion", spread_json(completion_bytes_)}})},
                         {"notes", counts_json(report.notes)},
                         {"reasons", counts_json(report.reasons)}});
  }

 private:
  std::int64_t records_ = 0, completions_ = 0, comparisons_ = 0, ratings_ = 0;
  std::map<std::string, std::int64_t> roles_;
  std::vector<std::int64_t> prompt_bytes_, completion_bytes_;
};

// Rows by the type of their value, and the bytes of the strings.
Json column_json(const ColumnCounts& column) {
  static constexpr std::string_view names[] = {"null",   "boolean", "integer", "number",
                                               "string", "list",    "object"};  // as Json::Type has them
  Json json = Json::object();
  for (std::size_t type = 0; type < std::size(names); ++type) {
    if (column.rows[type] > 0) json.set(names[type], column.rows[type]);
  }
  if (column.rows_of(Json::Type::string) > 0) json.set("bytes", column.bytes);
  return json;
}

// A table of "name value" lines; nested objects as "name.inner".
void print_table(Answer& answer, const Json& json, const std::string& head = "") {
  for (const auto& [key, value] : json.members()) {
    if (value.is_object()) {
      print_table(answer, value, head + key + '.');
    } else if (!value.is_array()) {
      const std::string label = head + key;
      answer.text(label + std::string(label.size() < 24 ? 24 - label.size() : 1, ' ') +
                  (value.is_string() ? value.string() : value.str()) + '\n');
    }
  }
}

void print_problems(Answer& answer, const ReadReport& report) {
  for (const RowProblem& problem : report.problems) answer.text(problem_line(problem) + '\n');
  if (report.problems.size() == ReadReport::kept)
    answer.text("... and more: " + std::to_string(report.bad_rows) + " bad rows\n");
}

int inspect(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const std::string format = arguments.option("--format").value_or("");
  const auto words = arguments.rest(1, 1, "PATH");
  Summary counts;
  const auto [tables, report] = stream_dataset({.path = words[0], .format = format},
                                               [&](const Record& record, const Dataset&) { counts.add(record); });
  Json summary = counts.json(tables.annotators.size(), report);
  Answer answer;
  if (json) {
    summary.set("problems", problems_json(report));
    answer.document(summary);
  } else {
    print_table(answer, summary);
    print_problems(answer, report);
  }
  answer.finish();
  return 0;
}

// What the columns of any file hold, whether its format is known or not.
int columns(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const auto words = arguments.rest(1, 1, "PATH");
  Answer answer;
  for (const Path& file : data_files(words[0])) {
    const FileColumns counts = count_columns(file);
    Json table = Json::object();
    for (const ColumnCounts& column : counts.columns) table.set(column.name, column_json(column));
    const Json page = Json::object(
        {{"file", file.string()}, {"rows", counts.rows}, {"bad_rows", counts.bad_rows}, {"columns", std::move(table)}});
    json ? answer.row(page) : print_table(answer, page);
  }
  answer.finish();
  return 0;
}

int validate_data(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const bool strict = arguments.flag("--strict");
  const std::string format = arguments.option("--format").value_or("");
  const auto words = arguments.rest(1, 1, "PATH");
  DuplicateCounter counter;
  std::int64_t records = 0;
  const ReadReport report =
      stream_dataset({.path = words[0], .format = format}, [&](const Record& record, const Dataset&) {
        counter.add(record);
        ++records;
      }).report;
  const DuplicateCounts& duplicates = counter.counts();
  const bool refused =
      report.bad_rows > 0 || records == 0 || (strict && duplicates.repeated + duplicates.conflicting > 0);
  Answer answer;
  if (json) {
    answer.document(Json::object({{"format", format_of(report)},
                                  {"rows", report.rows},
                                  {"bad_rows", report.bad_rows},
                                  {"repeated_pairs", duplicates.repeated},
                                  {"conflicting_pairs", duplicates.conflicting},
                                  {"reasons", counts_json(report.reasons)},
                                  {"problems", problems_json(report)}}));
  } else {
    print_problems(answer, report);
    answer.text(std::to_string(report.rows) + " rows of " + format_of(report) + ", " + std::to_string(report.bad_rows) +
                " bad, " + std::to_string(duplicates.repeated) + " pairs repeated, " +
                std::to_string(duplicates.conflicting) + " in conflict\n");
  }
  answer.finish();
  return refused ? exit_code(ErrorKind::data) : 0;
}

struct Converted {
  ReadReport report = {};
  WriteResult written = {};
};

// Standard input comes once and is held in memory.
Converted convert_input(const DataPart& part, const DatasetOptions& options, const Path& out,
                        const WriteOptions& write) {
  const ReadResult read = read_dataset({part}, options);
  return {read.report, write_dataset(disk(), out, read.dataset, write)};
}

// Files are read twice, so that they may be larger than memory: for the annotators and scales that writing must know
// before the first record, and whether all rows are good; then row by row to where they go.
Converted convert_files(const DataPart& part, const DatasetOptions& options, const Path& out,
                        const WriteOptions& write) {
  std::int64_t records = 0;
  Converted result;
  const ReadResult first = stream_dataset(part, [&](const Record&, const Dataset&) { ++records; });
  result.report = first.report;
  result.report.enforce(options.on_bad_row);
  if (records == 0) {
    const auto bad = result.report.bad_rows;
    throw DataError({.file = part.path}, bad > 0 ? "no usable row (" + std::to_string(bad) + " bad)" : "no rows",
                    "records");
  }
  DatasetWriter writer(disk(), out, first.dataset, write);
  stream_dataset(
      part, [&](const Record& record, const Dataset&) { writer.add(record); }, options, &first.dataset);
  result.written = writer.finish();
  return result;
}

int convert(Arguments& arguments) {
  WriteOptions options{.format = arguments.required("--to")};
  const std::string out = arguments.required("--out");
  options.lossy = arguments.flag("--lossy");
  const bool json = arguments.flag("--json");
  const bool drop = arguments.flag("--drop-bad-rows");
  const std::string format = arguments.option("--format").value_or("");
  const auto words = arguments.rest(1, 1, "PATH");
  const DataPart part{.path = words[0], .format = format};
  const DatasetOptions reading{.on_bad_row = drop ? OnBadRow::drop : OnBadRow::refuse};
  const auto [report, written] =
      part.path == "-" ? convert_input(part, reading, out, options) : convert_files(part, reading, out, options);
  const Json counts = Json::object({{"from", format_of(report)},
                                    {"to", options.format},
                                    {"out", out},
                                    {"records", written.records},
                                    {"rows", written.rows},
                                    {"bad_rows_dropped", report.bad_rows},
                                    {"lossy_records", written.lossy_records},
                                    {"first_loss", written.first_loss}});
  Answer answer;
  if (json) {
    answer.document(counts);
  } else {
    print_table(answer, counts);
  }
  answer.finish();
  return 0;
}

int report_on(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const auto html = arguments.option("--html");
  const bool drop = arguments.flag("--drop-bad-rows");
  const auto words = arguments.rest(2, 2, "NAME PATH");
  const auto* part = find_part<Report>(words[0]);
  if (part == nullptr) {
    std::vector<std::string> names;
    for (const auto& row : part_rows<Report>()) names.emplace_back(row.path);
    std::string all;
    for (const std::string& known : names) all += (all.empty() ? "" : ", ") + known;
    const std::string near = nearest(words[0], names);
    arguments.fail("the unknown report '" + words[0] + "'", near.empty() ? "one of " + all : near);
  }
  const ReadResult read = read_dataset({{.path = words[1]}}, {.on_bad_row = drop ? OnBadRow::drop : OnBadRow::refuse});
  const ReportPage page = part->part->make()->run(read.dataset);
  if (html) write_durably(disk(), *html, html_of(page));
  answer_page(page, json);
  return 0;
}

}  // namespace

int run_data(Arguments& arguments) {
  constexpr const char* actions_text = "inspect, columns, validate, convert, apply or report";
  // The first plain word chooses; the options stay for the one chosen.
  const std::string action = arguments.action(actions_text);
  if (action == "inspect") return inspect(arguments);
  if (action == "columns") return columns(arguments);
  if (action == "validate") return validate_data(arguments);
  if (action == "convert") return convert(arguments);
  if (action == "apply") return run_data_apply(arguments);
  if (action == "report") return report_on(arguments);
  const std::vector<std::string> known = {"inspect", "columns", "validate", "convert", "apply", "report"};
  const std::string near = nearest(action, known);
  arguments.fail("the unknown word '" + action + "'", near.empty() ? actions_text : near);
}

}  // namespace attune
