// `attune eval` and `attune score --verifier` as users call them.
#include <gmock/gmock.h>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/cli/verbs.h"
#include "support/temporary.h"

namespace attune {
namespace {

using ::testing::HasSubstr;

std::string answer_of(const char* verb, int (*run)(Arguments&), std::vector<std::string> words) {
  Arguments arguments(verb, std::move(words));
  ::testing::internal::CaptureStdout();
  try {
    run(arguments);
  } catch (...) {
    ::testing::internal::GetCapturedStdout();
    throw;
  }
  return ::testing::internal::GetCapturedStdout();
}

template <class Call>
std::string refused(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class EvalVerb : public ::testing::Test {
 protected:
  void SetUp() override {
    write_durably(disk(), data_,
                  R"({"id":"q1","prompt":"p","chosen":"a b c","rejected":"a","answer":"3"})"
                  "\n"
                  R"({"id":"q2","prompt":"p","chosen":"a","rejected":"3 b c","answer":"3"})"
                  "\n");
    write_durably(
        disk(), scores_,
        "{\"record\":\"q2\",\"completion\":1,\"score\":2}\n{\"record\":\"q1\",\"completion\":0,\"score\":2}\n"
        "{\"record\":\"q2\",\"completion\":0,\"score\":1}\n{\"record\":\"q1\",\"completion\":1,\"score\":1}\n");
  }
  testing::TemporaryDirectory directory_;
  const std::filesystem::path data_ = directory_ / "data.jsonl", scores_ = directory_ / "scores.jsonl";
};

TEST_F(EvalVerb, AnswersSentencesOrOneDocumentAndAPage) {
  const auto html = directory_ / "page.html";
  const Json page = Json::parse(
      answer_of("eval", run_eval, {"verbosity-bias", "--data", data_, "--scores", scores_, "--json", "--html", html}));
  for (const char* key : {"name", "score", "parts", "n", "interval", "left_out"})
    EXPECT_NE(page.find(key), nullptr) << key;
  EXPECT_EQ(page.find("name")->string(), "verbosity-bias");
  EXPECT_EQ(page.find("score")->number(), 1);
  EXPECT_THAT(read_file(html), HasSubstr("<title>Verbosity bias</title>"));
  EXPECT_THAT(answer_of("eval", run_eval, {"verbosity-bias", "--data", data_, "--scores", scores_, "resamples=0"}),
              HasSubstr("Verbosity bias 1.00, n = 2."));
}

TEST_F(EvalVerb, RefusesWhatNobodyCanMean) {
  const auto run = [&](std::vector<std::string> words) {
    return refused([&] { answer_of("eval", run_eval, std::move(words)); });
  };
  EXPECT_THAT(run({"rewardbanch", "--data", data_}), HasSubstr("expected rewardbench"));
  EXPECT_THAT(run({"rewardbench"}), HasSubstr("--data"));
  EXPECT_THAT(run({"rewardbench", "--data", data_}), HasSubstr("neither --scores nor --verdicts"));
  EXPECT_THAT(run({"rewardbench", "--data", data_, "--scores", scores_, "ties=1"}), HasSubstr("tie"));
  EXPECT_THAT(run({"rewardbench", "--data", data_, scores_}), HasSubstr("key=value"));
}

TEST_F(EvalVerb, VerifiersScoreCompletionsWithAReason) {
  const std::string text = answer_of("score", run_score_here, {"--verifier", "length", "--data", data_, "most=2"});
  EXPECT_THAT(text, HasSubstr(R"({"record":"q1","completion":0,"score":0.0,"reason":"too long"})"));
  EXPECT_THAT(text, HasSubstr(R"({"record":"q1","completion":1,"score":1.0,"reason":"within bounds"})"));
  const std::string standardised = answer_of(
      "score", run_score_here, {"--verifier", "length", "--data", data_, "most=2", "--standardise", "record"});
  EXPECT_THAT(standardised, HasSubstr(R"("completion":0,"score":-1.0)"));
  EXPECT_THAT(refused([&] {
                answer_of("score", run_score_here, {"--verifier", "lenght", "--data", data_});
              }),
              HasSubstr("expected length"));
}

}  // namespace
}  // namespace attune
