// Every published schema: recognised, read into what it says, written back equal, and named where it is damaged.
#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "attune/data/format.h"
#include "attune/data/raw_json.h"
#include "attune/data/validate.h"
#include "unit/data/schema_rows.h"
#include "unit/data/support.h"

namespace attune {
namespace {

using testing::read_text;
using testing::row_json;
using testing::SchemaRow;

std::vector<SchemaRow> all_rows() {
  std::vector<SchemaRow> all;
  for (const auto& rows : {testing::judged_rows(), testing::learning_rows(), testing::benchmark_rows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

// The columns that make a row one of the format, by their names.
std::vector<std::string> columns_of(const std::string& format) {
  const std::string text = format_named(format).part->make()->columns();
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(", ", begin), text.size());
    names.push_back(text.substr(begin, end - begin));
    begin = end + 2;
  }
  return names;
}

template <class What>
std::size_t count(const Record& record) {
  return static_cast<std::size_t>(std::count_if(record.feedback.begin(), record.feedback.end(), [](const auto& item) {
    return std::holds_alternative<What>(item.what);
  }));
}

// The text that the first comparison prefers; empty for a tie and without any.
std::string preferred(const Record& record) {
  for (const Feedback& feedback : record.feedback) {
    const auto* comparison = std::get_if<Comparison>(&feedback.what);
    if (comparison == nullptr) continue;
    if (comparison->outcome != Outcome::a && comparison->outcome != Outcome::b) return "";
    const Target& target = comparison->outcome == Outcome::a ? comparison->a : comparison->b;
    return completion_text(record, record.completions.at(static_cast<std::size_t>(target.completion)));
  }
  return "";
}

class Schemas : public ::testing::TestWithParam<SchemaRow> {};

TEST_P(Schemas, IsRecognisedAndHoldsWhatTheRowSays) {
  const SchemaRow& expected = GetParam();
  const ReadResult read = read_text(expected.row);
  ASSERT_EQ(read.report.bad_rows, 0) << read.report.problems.front().field << ": "
                                     << read.report.problems.front().found;
  EXPECT_EQ(read.report.formats.front(), expected.format);
  const Record& record = read.dataset.records.at(0);
  const auto problems = validate(record, read.dataset);
  EXPECT_THAT(problems, ::testing::IsEmpty()) << problems.front().field << ": " << problems.front().found;
  EXPECT_EQ(record.completions.size(), expected.answers);
  EXPECT_EQ(count<Comparison>(record), expected.comparisons);
  EXPECT_EQ(preferred(record), expected.better);
  EXPECT_EQ(count<Rating>(record), expected.ratings);
  EXPECT_EQ(read.dataset.annotators.size(), expected.annotators);
  // These only tell the format, or are numbers that name the record.
  const std::set<std::string> unparsed = {
      "turns",  "evaluation_session_id", "question_id", "tstamp", "tree_state",  "lang",   "kwargs",
      "key",    "instruction_id_list",   "entry_point", "id",     "num_correct", "subset", "num_incorrect",
      "ans_id", "message_tree_id",       "parent_id",   "test",   "category",    "type",   "focus"};
  for (const std::string& column : columns_of(expected.format)) {
    const bool safe_or_not = expected.format == std::string("xstest-prompts") && column == "label";
    if (unparsed.contains(column) || safe_or_not) continue;
    EXPECT_EQ(raw_member(record.extra_json, column), "") << "also travels unparsed: " << column;
  }
}

TEST_P(Schemas, ComesBackTheSameDirectlyAndThroughTheNativeForm) {
  const testing::TemporaryDirectory directory;
  write_durably(disk(), directory / "in.jsonl", GetParam().row);
  const auto read = read_dataset({{.path = (directory / "in.jsonl").string()}});
  write_dataset(disk(), directory / "direct.jsonl", read.dataset, {.format = GetParam().format});
  write_dataset(disk(), directory / "native.jsonl", read.dataset);
  const auto native = read_dataset({{.path = (directory / "native.jsonl").string()}});
  EXPECT_EQ(native.dataset.records, read.dataset.records);
  write_dataset(disk(), directory / "again.jsonl", native.dataset, {.format = GetParam().format});
  for (const char* name : {"direct.jsonl", "again.jsonl"}) {
    const auto rows = testing::rows_of(directory / name);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(row_json(rows.front()).str(), row_json(GetParam().row).str()) << name;
  }
}

// The problems of one row, read as the format.
std::vector<RowProblem> problems_of(const Json& row, const std::string& format) {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory / "in.jsonl", std::ios::binary) << row.str();
  return inspect_dataset({.path = (directory / "in.jsonl").string(), .format = format}).report.problems;
}

TEST_P(Schemas, AMissingColumnAndOneOfAnotherTypeAreNamed) {
  const Json row = Json::parse(GetParam().row);
  const std::set<std::string> any_type = {"question_id", "key", "id", "parent_id"};
  for (const std::string& column : columns_of(GetParam().format)) {
    SCOPED_TRACE(column);
    ASSERT_NE(row.find(column), nullptr);
    Json without = row;
    std::erase_if(without.members(), [&](const auto& member) { return member.first == column; });
    const auto missing = problems_of(without, GetParam().format);
    ASSERT_FALSE(missing.empty());
    EXPECT_EQ(missing[0].field, column);
    EXPECT_EQ(missing[0].found, "no such column");
    if (any_type.contains(column)) continue;
    Json wrong = row;
    wrong.set(column, row.find(column)->is_bool() ? Json::object() : Json(true));
    const auto type = problems_of(wrong, GetParam().format);
    ASSERT_FALSE(type.empty());
    EXPECT_THAT(type[0].field, ::testing::StartsWith(column));
  }
}

std::string test_name(const ::testing::TestParamInfo<SchemaRow>& info) {
  std::string name = std::string(info.param.format) + "_" + std::to_string(info.index);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Rows, Schemas, ::testing::ValuesIn(all_rows()), test_name);

}  // namespace
}  // namespace attune
