#include "attune/data/columns.h"

#include "unit/data/support.h"

namespace attune {
namespace {

using testing::TemporaryDirectory;
using testing::write_rows;

TEST(Columns, EveryRowIsCountedByTheTypeOfItsValues) {
  const TemporaryDirectory directory;
  const auto counts = count_columns(
      write_rows(directory / "rows.jsonl.gz",
                 {R"({"text":"caf\u00e9","n":1,"tags":[]})", R"({"n":1.5,"text":null,"new":{"text":"x"}})",
                  R"({"text":"\"\n","n":123456789012345678901234567890,"flag":true})"}));
  EXPECT_EQ(counts.rows, 3);
  EXPECT_EQ(counts.bad_rows, 0);
  ASSERT_EQ(counts.columns.size(), 5u);
  EXPECT_EQ(counts.columns[0].name, "text");
  EXPECT_EQ(counts.columns[0].rows_of(Json::Type::string), 2);
  EXPECT_EQ(counts.columns[0].rows_of(Json::Type::null), 1);
  EXPECT_EQ(counts.columns[0].bytes, 7);  // unescaped
  EXPECT_EQ(counts.columns[1].rows_of(Json::Type::integer), 1);
  EXPECT_EQ(counts.columns[1].rows_of(Json::Type::number), 2);
  EXPECT_EQ(counts.columns[3].name, "new");
  EXPECT_EQ(counts.columns[3].rows_of(Json::Type::object), 1);
  EXPECT_EQ(counts.columns[4].rows_of(Json::Type::boolean), 1);
}

TEST(Columns, BadRowsAreCountedAndSkipped) {
  const TemporaryDirectory directory;
  const auto counts = count_columns(write_rows(
      directory / "rows.jsonl", {R"({"a":"x"})", R"({"a":"y","b":)", R"(["a"])", "{\"a\":\"\xff\"}", R"({"a":"z"})"}));
  EXPECT_EQ(counts.rows, 5);
  EXPECT_EQ(counts.bad_rows, 3);
  ASSERT_EQ(counts.columns.size(), 1u);
  EXPECT_EQ(counts.columns[0].rows_of(Json::Type::string), 2);
}

TEST(Columns, RealFilesHaveTheirColumns) {
  if (testing::shared_data().empty()) GTEST_SKIP() << "no shared data beside the project";
  const auto counts =
      count_columns(testing::shared_data() / "preference/hh-rlhf/harmless-base.test.0000-1799.jsonl.gz");
  EXPECT_EQ(counts.rows, 1800);
  ASSERT_EQ(counts.columns.size(), 2u);
  EXPECT_EQ(counts.columns[0].name, "chosen");
  EXPECT_EQ(counts.columns[0].rows_of(Json::Type::string), 1800);
}

}  // namespace
}  // namespace attune
