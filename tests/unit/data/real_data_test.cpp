// Real files, read in place: every row comes back as it was, and the numbers are those computed independently.
#include <gmock/gmock.h>

#include "unit/data/support.h"

namespace attune {
namespace {

using testing::row_json;
using testing::rows_of;
using testing::shared_data;
using testing::TemporaryDirectory;

struct RealFile {
  const char* path;
  const char* format;
  std::size_t rows, bad;
};

class RealData : public ::testing::TestWithParam<RealFile> {};

TEST_P(RealData, EveryGoodRowComesBackDirectlyAndThroughTheNativeForm) {
  if (shared_data().empty()) GTEST_SKIP() << "no shared data beside the project";
  const Path path = shared_data() / "preference" / GetParam().path;
  const auto read = read_dataset({{.path = path.string()}}, {.on_bad_row = OnBadRow::drop});
  EXPECT_EQ(read.report.formats.front(), GetParam().format);
  EXPECT_EQ(static_cast<std::size_t>(read.report.rows), GetParam().rows);
  EXPECT_EQ(static_cast<std::size_t>(read.report.bad_rows), GetParam().bad);

  std::vector<std::string> before = rows_of(path);
  for (auto problem = read.report.problems.rbegin(); problem != read.report.problems.rend(); ++problem) {
    const auto at = before.begin() + problem->row - 1;
    if (problem == read.report.problems.rbegin() || std::prev(problem)->row != problem->row) before.erase(at);
  }
  const TemporaryDirectory directory;
  write_dataset(disk(), directory / "out.jsonl", read.dataset, {.format = GetParam().format});
  write_dataset(disk(), directory / "native.jsonl.gz", read.dataset);
  const auto native = read_dataset({{.path = (directory / "native.jsonl.gz").string()}});
  write_dataset(disk(), directory / "again.jsonl", native.dataset, {.format = GetParam().format});
  for (const char* name : {"out.jsonl", "again.jsonl"}) {
    const auto after = rows_of(directory / name);
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < before.size(); ++i) ASSERT_EQ(row_json(after[i]), row_json(before[i])) << "row " << i;
  }
}

// hh-rlhf: 4 empty answers and 2 pairs whose prompts differ. ultrafeedback: 2 identical pairs, one of them of empty
// answers, and 1 row with an empty answer.
INSTANTIATE_TEST_SUITE_P(
    Files, RealData,
    ::testing::Values(RealFile{"hh-rlhf/harmless-base.test.0000-1799.jsonl.gz", "hh-rlhf", 1800, 6},
                      RealFile{"ultrafeedback-binarized/part0.jsonl.gz", "trl-preference", 500, 3},
                      RealFile{"tulu3-preference/sample.00-49.jsonl.gz", "trl-preference", 50, 0}));

TEST(RealDataNumbers, HhRlhfGivesTheIndependentlyComputedStatistics) {
  if (shared_data().empty()) GTEST_SKIP() << "no shared data beside the project";
  const Path path = shared_data() / "preference/hh-rlhf/harmless-base.test.0000-1799.jsonl.gz";
  const auto read = read_dataset({{.path = path.string()}}, {.on_bad_row = OnBadRow::drop});
  EXPECT_EQ(read.report.reasons.at("a prompt unlike that of chosen"), 2);
  EXPECT_EQ(read.report.reasons.at("an empty answer"), 4);
  std::int64_t human_turns = 0;
  for (const Record& record : read.dataset.records) {
    for (const Message* message : prompt_messages(record, record.completions[0]))
      human_turns += message->role == Role::user;
  }
  // 2.477778 human turns a row over all 1,800; the six dropped rows cannot move the mean by more than 0.02.
  EXPECT_NEAR(static_cast<double>(human_turns) / static_cast<double>(read.dataset.records.size()), 2.477778, 0.02);
}

}  // namespace
}  // namespace attune
