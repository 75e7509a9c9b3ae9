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

// The counts of `attune data inspect`, problems aside.
Json summary_json(const Dataset& dataset, const ReadReport& report) {
  std::int64_t completions = 0, comparisons = 0, ratings = 0;
  std::map<std::string, std::int64_t> roles;
  std::vector<std::int64_t> prompt_bytes, completion_bytes;
  for (const Record& record : dataset.records) {
    completions += std::ssize(record.completions);
    for (const Feedback& feedback : record.feedback) {
      comparisons += std::holds_alternative<Comparison>(feedback.what) ? 1 : 0;
      ratings += std::holds_alternative<Rating>(feedback.what) ? 1 : 0;
    }
    for (const Node& node : record.nodes) ++roles[std::string(name(node.message.role))];
    for (const Completion& completion : record.completions) {
      prompt_bytes.push_back(std::ssize(prompt_text(record, completion)));
      completion_bytes.push_back(std::ssize(completion_text(record, completion)));
    }
  }
  return Json::object({{"format", format_of(report)},
                       {"records", dataset.records.size()},
                       {"completions", completions},
                       {"comparisons", comparisons},
                       {"ratings", ratings},
                       {"annotators", dataset.annotators.size()},
                       {"rows", report.rows},
                       {"bad_rows", report.bad_rows},
                       {"roles", counts_json(roles)},
                       {"bytes", Json::object({{"prompt", spread_json(std::move(prompt_bytes))},
                                               {"completion", spread_json(std::move(completion_bytes))}})},
                       {"notes", counts_json(report.notes)},
                       {"reasons", counts_json(report.reasons)}});
}

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
  const ReadResult read = inspect_dataset({.path = words[0], .format = format});
  Json summary = summary_json(read.dataset, read.report);
  Answer answer;
  if (json) {
    summary.set("problems", problems_json(read.report));
    answer.document(summary);
  } else {
    print_table(answer, summary);
    print_problems(answer, read.report);
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
  const ReadResult read = inspect_dataset({.path = words[0], .format = format});
  const DuplicateCounts duplicates = count_duplicates(read.dataset);
  const bool refused = read.report.bad_rows > 0 || read.dataset.records.empty() ||
                       (strict && duplicates.repeated + duplicates.conflicting > 0);
  Answer answer;
  if (json) {
    answer.document(Json::object({{"format", format_of(read.report)},
                                  {"rows", read.report.rows},
                                  {"bad_rows", read.report.bad_rows},
                                  {"repeated_pairs", duplicates.repeated},
                                  {"conflicting_pairs", duplicates.conflicting},
                                  {"reasons", counts_json(read.report.reasons)},
                                  {"problems", problems_json(read.report)}}));
  } else {
    print_problems(answer, read.report);
    answer.text(std::to_string(read.report.rows) + " rows of " + format_of(read.report) + ", " +
                std::to_string(read.report.bad_rows) + " bad, " + std::to_string(duplicates.repeated) +
                " pairs repeated, " + std::to_string(duplicates.conflicting) + " in conflict\n");
  }
  answer.finish();
  return refused ? exit_code(ErrorKind::data) : 0;
}

int convert(Arguments& arguments) {
  WriteOptions options{.format = arguments.required("--to")};
  const std::string out = arguments.required("--out");
  options.lossy = arguments.flag("--lossy");
  const bool json = arguments.flag("--json");
  const bool drop = arguments.flag("--drop-bad-rows");
  const std::string format = arguments.option("--format").value_or("");
  const auto words = arguments.rest(1, 1, "PATH");
  const ReadResult read =
      read_dataset({{.path = words[0], .format = format}}, {.on_bad_row = drop ? OnBadRow::drop : OnBadRow::refuse});
  const WriteResult written = write_dataset(disk(), out, read.dataset, options);
  const Json counts = Json::object({{"from", format_of(read.report)},
                                    {"to", options.format},
                                    {"out", out},
                                    {"records", written.records},
                                    {"rows", written.rows},
                                    {"bad_rows_dropped", read.report.bad_rows},
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
