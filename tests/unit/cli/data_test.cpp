// `attune data` as users call it: words in, stdout and exit code out.
#include <gmock/gmock.h>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/cli/verbs.h"
#include "support/temporary.h"

namespace attune {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryDirectory;

struct Answered {
  int code = 0;
  std::string text = {};
};

Answered data(std::vector<std::string> words) {
  Arguments arguments("data", std::move(words));
  ::testing::internal::CaptureStdout();
  Answered answered;
  try {
    answered.code = run_data(arguments);
  } catch (...) {
    ::testing::internal::GetCapturedStdout();
    throw;
  }
  answered.text = ::testing::internal::GetCapturedStdout();
  return answered;
}

class Data : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) {
    write_durably(disk(), directory_ / name, text);
    return (directory_ / name).string();
  }
  TemporaryDirectory directory_;
  const std::string good_ = R"({"prompt":"p","chosen":"yes","rejected":"n","score_chosen":2})"
                            "\n";
  const std::string bad_ = R"({"prompt":"p","rejected":"n"})"
                           "\n";
};

TEST_F(Data, InspectCountsAndListsProblemsWithTheirPlace) {
  const Answered answered = data({"inspect", file("a.jsonl", good_ + bad_ + good_), "--json"});
  EXPECT_EQ(answered.code, 0);
  const Json json = Json::parse(answered.text);
  EXPECT_EQ(json.find("format")->string(), "trl-preference");
  EXPECT_EQ(json.find("records")->integer(), 2);
  EXPECT_EQ(json.find("completions")->integer(), 4);
  EXPECT_EQ(json.find("comparisons")->integer(), 2);
  EXPECT_EQ(json.find("ratings")->integer(), 2);
  EXPECT_EQ(json.find("annotators")->integer(), 0);
  const Json& problem = json.find("problems")->items().at(0);
  EXPECT_EQ(problem.find("row")->integer(), 2);
  EXPECT_EQ(problem.find("field")->string(), "chosen");
  EXPECT_THAT(problem.find("file")->string(), HasSubstr("a.jsonl"));
  EXPECT_FALSE(problem.find("found")->string().empty());
  EXPECT_FALSE(problem.find("expected")->string().empty());
}

TEST_F(Data, ValidateAnswers65WhenARowIsBadAnd0WhenNoneIs) {
  EXPECT_EQ(data({"validate", file("a.jsonl", good_ + bad_)}).code, 65);
  EXPECT_EQ(data({"validate", file("b.jsonl", good_ + good_)}).code, 0);
  EXPECT_EQ(data({"validate", file("b.jsonl", good_ + good_), "--strict"}).code, 65);  // the pair stands twice
  EXPECT_EQ(data({"validate", file("c.jsonl", good_), "--strict"}).code, 0);
}

TEST_F(Data, ConvertRefusesALossAndSaysWhatWouldBeLost) {
  const std::string in = file("a.jsonl", good_), out = (directory_ / "b.jsonl").string();
  try {
    data({"convert", in, "--to", "trl-unpaired", "--out", out});
    FAIL() << "expected DataError";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("record 0, field feedback"));
    EXPECT_THAT(error.what(), HasSubstr("--lossy"));
  }
  EXPECT_EQ(list_directory(directory_.path()), std::vector<std::string>{"a.jsonl"});  // no half output
  const Json counts =
      Json::parse(data({"convert", in, "--to", "trl-unpaired", "--out", out, "--lossy", "--json"}).text);
  EXPECT_EQ(counts.find("rows")->integer(), 2);
  EXPECT_EQ(counts.find("lossy_records")->integer(), 1);
}

TEST_F(Data, ReportWritesJsonAndAPage) {
  const std::string page = (directory_ / "page.html").string();
  const Json json = Json::parse(data({"report", "length-bias", file("a.jsonl", good_), "--json", "--html", page}).text);
  EXPECT_EQ(json.find("pairs")->integer(), 1);
  EXPECT_THAT(read_file(page), HasSubstr("<svg"));
}

TEST_F(Data, WrongWordsAreRefusedWithTheNearestRightOne) {
  const auto message = [](std::vector<std::string> words) {
    try {
      data(std::move(words));
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_THAT(message({"inspekt", "x"}), HasSubstr("expected inspect"));
  EXPECT_THAT(message({}), HasSubstr("inspect, columns, validate, convert, apply or report"));
  EXPECT_THAT(message({"report", "length-bais", "x"}), HasSubstr("expected length-bias"));
  EXPECT_THAT(message({"convert", file("a.jsonl", good_), "--to", "trl-mesages", "--out", "x"}),
              HasSubstr("expected trl-messages"));
}

}  // namespace
}  // namespace attune
