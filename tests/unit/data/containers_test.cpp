// Tables and patterns: how rows come in files that are not JSON Lines.
#include <gmock/gmock.h>

#include "attune/data/table.h"
#include "unit/data/support.h"

namespace attune {
namespace {

using testing::read_text;

// The rows of a table as JSON texts.
std::vector<std::string> rows_of_table(const std::string& text, const std::string& name = "rows.csv") {
  const testing::TemporaryDirectory directory;
  write_durably(disk(), directory / name, compress(text, compression_of(name)));
  return testing::rows_of(directory / name);
}

TEST(Table, CellsBecomeTextsNumbersAndListsByTheirColumns) {
  const auto rows = rows_of_table(
      "a,b,c,d\r\n"
      "x,1,\"[1, 2]\",true\r\n"
      "\"y, \"\"z\"\"\nw\",2.5,[],false\r\n"
      "3,,,\n");
  EXPECT_THAT(rows, ::testing::ElementsAre(R"({"a":"x","b":1,"c":[1,2],"d":true})",
                                           R"({"a":"y, \"z\"\nw","b":2.5,"c":[],"d":false})",
                                           R"({"a":"3","b":null,"c":null,"d":null})"));
}

TEST(Table, AColumnThatIsNotAllNumbersIsText) {
  EXPECT_THAT(rows_of_table("a\tb\n1\t007\nx\t1\n", "rows.tsv.gz"),
              ::testing::ElementsAre(R"({"a":"1","b":"007"})", R"({"a":"x","b":"1"})"));
}

TEST(Table, LineNumbersAreThoseOfTheFile) {
  const auto report = read_text("prompt,chosen,rejected\n\"p\nq\",y,n\n\np,y,y\n", "rows.csv").report;
  EXPECT_EQ(report.rows, 2);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].row, 5);
  EXPECT_EQ(report.problems[0].field, "rejected");
}

TEST(Table, ARowWithFewerCellsLacksColumnsAndOneWithMoreIsDamage) {
  const auto report = read_text("prompt,chosen,rejected\np,y,n\np,y\n", "rows.csv").report;
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].found, "no such column");
  const auto what = [](const char* text) { return testing::what_of([&] { read_text(text, "rows.csv"); }); };
  EXPECT_THAT(what("prompt,chosen,rejected\np,y,n,m\n"), ::testing::HasSubstr("a row of 4 cells"));
  EXPECT_THAT(what("prompt,chosen,rejected\np,y,\"n\n"), ::testing::HasSubstr("a quote that never closes"));
  EXPECT_THAT(what("prompt,chosen,rejected\np,\"y\"y,n\n"), ::testing::HasSubstr("text behind a closing quote"));
  const std::string wide("p\0,\0q\0\n\0", 8);
  EXPECT_THAT(testing::what_of([&] { read_text(wide, "rows.csv"); }), ::testing::HasSubstr("zero bytes"));
}

TEST(Table, ATableLargerThanItsBlocksComesWhole) {
  std::string text = "prompt,chosen,rejected\n";
  for (int i = 0; i < 20'000; ++i) text += "p" + std::to_string(i) + ",\"y, yes\",n\n";
  const auto read = read_text(text, "rows.csv");
  ASSERT_EQ(read.report.rows, 20'000);
  EXPECT_EQ(prompt_text(read.dataset.records[19'999], read.dataset.records[19'999].completions[0]), "p19999");
}

TEST(Table, TheTablesOfUkpConvArgHaveTabsNoQuotingAndInTheSecondPartNoHeader) {
  const auto first = read_text("#id\tlabel\ta1\ta2\narg1_arg2\ta1\t\"In 2006, x\" it said\tno\n", "topic.csv");
  ASSERT_EQ(first.report.bad_rows, 0);
  EXPECT_EQ(first.report.formats.front(), "ukpconvarg1");
  const Record& record = first.dataset.records.at(0);
  EXPECT_EQ(completion_text(record, record.completions[0]), "\"In 2006, x\" it said");
  const auto second = read_text("arg1_arg2\to8_1,o9_1\tyes\t\"no\narg3_arg4\to5_1\tb\tw\n", "topic.xml.csv");
  ASSERT_EQ(second.report.bad_rows, 0);
  EXPECT_EQ(second.report.formats.front(), "ukpconvarg2");
  ASSERT_EQ(second.report.rows, 2);
  EXPECT_EQ(second.dataset.records[0].feedback.size(), 3u);
}

TEST(Documents, AnObjectOfObjectsByNumbersIsRowsWithTheNumberAsId) {
  const auto rows =
      rows_of_table("{\n \"2\": {\"a\": \"}\\\"{\"},\n \"30\" : {},\n\"4\":{\"b\":{\"c\":[1]}}\n}\n", "rows.json.gz");
  EXPECT_THAT(rows,
              ::testing::ElementsAre(R"({"id":"2","a": "}\"{"})", R"({"id":"30"})", R"({"id":"4","b":{"c":[1]}})"));
  EXPECT_THAT(rows_of_table(R"({"a":{"b":1}})", "one.json"), ::testing::ElementsAre(R"({"a":{"b":1}})"));
  const auto problems = [](const char* text) { return read_text(text, "rows.json").report.problems; };
  ASSERT_EQ(problems(R"({"1":{"text":"a"})").size(), 1u);
  EXPECT_EQ(problems(R"({"1":{"text":"a"})")[0].found, "an object that is cut short");
  ASSERT_EQ(problems(R"({"1":{"text":"a"} "2":{"text":"b"}})").size(), 1u);
  ASSERT_GE(problems(R"({"1":{"text":"a"}, 7 : 8})").size(), 1u);
}

TEST(Table, IsReadButNeverWritten) {
  const testing::TemporaryDirectory directory;
  const auto read = read_text("prompt,chosen,rejected\np,y,n\n", "rows.csv");
  EXPECT_THROW(write_dataset(disk(), directory / "out.csv.gz", read.dataset, {.format = "trl-preference"}), UsageError);
}

TEST(Patterns, AStarMeansTheFilesInTheOrderOfTheirNames) {
  const testing::TemporaryDirectory directory;
  for (const char* name : {"b.jsonl", "a.jsonl", "c.txt"}) {
    testing::write_rows(directory / name, {R"({"text":"t"})"});
  }
  const auto files = data_files((directory / "*.jsonl").string());
  EXPECT_THAT(files, ::testing::ElementsAre(directory / "a.jsonl", directory / "b.jsonl"));
  EXPECT_THROW(read_dataset({{.path = (directory / "*.csv").string()}}), MissingInput);
}

}  // namespace
}  // namespace attune
