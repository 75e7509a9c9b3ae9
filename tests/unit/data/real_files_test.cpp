// Every data file at hand: read with the number of rows its list gives, or refused for the reason that is written here.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "unit/data/support.h"

namespace attune {
namespace {

using testing::shared_data;

struct Listed {
  std::string path = {};
  std::int64_t rows = 0;
};

// The data files of the list beside the data: "| path | source | licence | what | rows | size | form |".
std::vector<Listed> listed_files() {
  std::vector<Listed> files;
  const std::string text = read_file(shared_data() / "README.md");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::vector<std::string> cells;
    for (std::size_t at = begin; at < end;) {
      const std::size_t bar = std::min(text.find(" | ", at), end);
      cells.push_back(text.substr(at, bar - at));
      at = bar + 3;
    }
    begin = end + 1;
    if (cells.size() < 7 || !cells[0].starts_with("| ") || std::atoll(cells[4].c_str()) == 0) continue;
    const std::string path = cells[0].substr(2);
    const bool other = path.starts_with("tokenizers/") || path.starts_with("chat_templates/");
    if (!other && !path.ends_with(".txt")) files.push_back({path, std::atoll(cells[4].c_str())});
  }
  return files;
}

// Rows that cannot be used: answers that are empty, pairs that are no pairs, and six answers of PandaLM's that are the
// JSON value true or false.
const std::map<std::string, std::int64_t> bad_rows = {
    {"preference/hh-rlhf/harmless-base.test.0000-1799.jsonl.gz", 6},
    {"preference/ultrafeedback-binarized/part0.jsonl.gz", 3},
    {"judge/pandalm/testset-v1.json.gz", 6},
};

// What is no preference data, or not in rows: the beginnings of their paths.
const char* const refused_files[] = {
    // Results and statistics: numbers about models or judges, without the texts.
    "alpaca_eval/derived.df_gamed", "alpaca_eval/evaluators_leaderboard", "alpaca_eval/leaderboard",
    "alpaca_eval/length_controlled", "arena/arena-bench-v1.single_scores", "arena/arena_hard_battles",
    "arena/arena_hard_leaderboard", "arena/wildbench.", "bon/merged_leaderboard", "bon/preferences",
    "judge/llmbar/evaluator_winners", "judge/llmbar/published_statistics", "judge/pandalm/gpt-3.5-turbo",
    "judge/pandalm/pandalm-7b", "reward_bench/judgebench/judge_decisions", "reward_bench/rewardbench1-subset-scores/",
    // Who the annotators are.
    "annotators/multipico/MP_annotators_meta",
    // Schemas that no format knows.
    "instructions/self-instruct/", "judge/factscore/", "judge/mt_bench/judge_prompts",
    "judge/mt_bench/reference_answer", "judge/prometheus/", "preference/finegrained-rlhf/", "safety/anthropic-evals/"};

bool is_refused(const std::string& path) {
  return std::any_of(std::begin(refused_files), std::end(refused_files),
                     [&](const char* start) { return path.starts_with(start); });
}

// What the file is read as. Empty: refused, in one line that names its columns or what is broken.
std::string format_of(const Listed& file) {
  try {
    const ReadReport report = inspect_dataset({.path = (shared_data() / file.path).string()}).report;
    if (report.formats.empty()) {
      EXPECT_EQ(report.bad_rows, report.rows);
      return "";
    }
    EXPECT_EQ(report.rows, file.rows);
    const auto bad = bad_rows.find(file.path);
    EXPECT_EQ(report.bad_rows, bad == bad_rows.end() ? 0 : bad->second)
        << (report.problems.empty() ? "" : report.problems[0].field + ": " + report.problems[0].found);
    return report.formats.front();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("an unknown format, with the columns"));
    return "";
  }
}

TEST(RealFiles, EachIsReadWithItsRowsOrRefusedForAStatedReason) {
  if (shared_data().empty()) GTEST_SKIP() << "no shared data beside the project";
  const std::vector<Listed> files = listed_files();
  ASSERT_GT(files.size(), 70u);
  std::map<std::string, std::int64_t> formats;
  for (const Listed& file : files) {
    SCOPED_TRACE(file.path);
    if (is_refused(file.path)) {
      EXPECT_EQ(format_of(file), "");
    } else {
      const std::string format = format_of(file);
      EXPECT_NE(format, "");
      ++formats[format];
    }
  }
  const std::map<std::string, std::int64_t> expected = {{"alpaca", 1},
                                                        {"alpacaeval-annotations", 12},
                                                        {"alpacaeval-outputs", 24},
                                                        {"arena-hard-answers", 2},
                                                        {"arena-hard-questions", 1},
                                                        {"bbq", 3},
                                                        {"gsm8k", 2},
                                                        {"gsm8k-solutions", 1},
                                                        {"hh-rlhf", 1},
                                                        {"humaneval", 1},
                                                        {"ifeval", 1},
                                                        {"judgebench", 1},
                                                        {"llmbar", 3},
                                                        {"mt-bench-questions", 1},
                                                        {"multipico", 1},
                                                        {"oasst-tree", 1},
                                                        {"pandalm", 1},
                                                        {"rm-bench", 2},
                                                        {"trl-preference", 2},
                                                        {"trl-text", 1},
                                                        {"ukpconvarg1-pairs", 1},
                                                        {"ukpconvarg1-votes", 1},
                                                        {"xstest", 6},
                                                        {"xstest-prompts", 1}};
  EXPECT_EQ(formats, expected);
}

// PandaLM's three people, held against what was counted independently.
TEST(RealFiles, ThreePeoplesVerdictsGiveThePublishedMajorities) {
  if (shared_data().empty()) GTEST_SKIP() << "no shared data beside the project";
  const auto read = inspect_dataset({.path = (shared_data() / "judge/pandalm/testset-v1.json.gz").string()});
  EXPECT_EQ(read.dataset.annotators.size(), 3u);
  std::map<Outcome, std::int64_t> majorities;
  for (const Record& record : read.dataset.records) {
    std::map<Outcome, int> votes;
    for (const Feedback& feedback : record.feedback) ++votes[std::get<Comparison>(feedback.what).outcome];
    for (const auto& [outcome, count] : votes) majorities[outcome] += count >= 2 ? 1 : 0;
  }
  const Json numbers = Json::parse(read_file(shared_data() / "expected_numbers.json"));
  const Json& counts = *numbers.find("pandalm")->find("value")->find("majority_counts");
  const auto expect = [&](const char* key, Outcome outcome) {  // the six damaged rows may be of any kind
    const std::int64_t expected = counts.find(key)->integer();
    EXPECT_LE(majorities[outcome], expected);
    EXPECT_GE(majorities[outcome], expected - 6);
  };
  expect("0", Outcome::tie);
  expect("1", Outcome::a);
  expect("2", Outcome::b);
}

const Json& expected_value(const Json& numbers, const char* name) { return *numbers.find(name)->find("value"); }

TEST(RealFiles, TheCrowdOfUkpConvArgAndMultiPicoIsCountedAsOthersCountedIt) {
  if (shared_data().empty()) GTEST_SKIP() << "no shared data beside the project";
  const Json numbers = Json::parse(read_file(shared_data() / "expected_numbers.json"));
  const Json& ukp = expected_value(numbers, "ukpconvarg1");
  const auto votes = inspect_dataset({.path = (shared_data() / "preference/ukpconvarg1/judgments.jsonl.gz").string()});
  EXPECT_EQ(votes.report.rows, ukp.find("judgments")->integer());
  EXPECT_EQ(std::ssize(votes.dataset.annotators), ukp.find("workers")->integer());
  const auto pairs = inspect_dataset({.path = (shared_data() / "preference/ukpconvarg1/pairs.jsonl.gz").string()});
  EXPECT_EQ(std::ssize(pairs.dataset.records), ukp.find("pairs")->integer());
  const auto decided = [](const Record& record) { return !record.feedback.empty(); };
  EXPECT_EQ(std::count_if(pairs.dataset.records.begin(), pairs.dataset.records.end(), decided),
            ukp.find("pairs_with_gold")->integer());
  const auto items = inspect_dataset({.path = (shared_data() / "annotators/multipico/MP_dev.json.gz").string()});
  EXPECT_EQ(std::ssize(items.dataset.records), expected_value(numbers, "multipico").find("items")->integer());
}

}  // namespace
}  // namespace attune
