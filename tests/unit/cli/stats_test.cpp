// `attune stats` as users call it.
#include <gmock/gmock.h>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/cli/verbs.h"
#include "support/temporary.h"

namespace attune {
namespace {

using ::testing::HasSubstr;

std::string stats(std::vector<std::string> words) {
  Arguments arguments("stats", std::move(words));
  ::testing::internal::CaptureStdout();
  try {
    run_stats(arguments);
  } catch (...) {
    ::testing::internal::GetCapturedStdout();
    throw;
  }
  return ::testing::internal::GetCapturedStdout();
}

class Stats : public ::testing::Test {
 protected:
  void SetUp() override { write_durably(disk(), path_, "item,who,value\n1,x,a\n1,y,a\n2,x,b\n2,y,a\n"); }
  testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "rows.csv";
};

TEST_F(Stats, AnswerSentencesOrOneDocumentAndAPage) {
  EXPECT_THAT(stats({"krippendorff-alpha", path_, "annotator=who"}), HasSubstr("Krippendorff's alpha"));
  const auto html = directory_ / "page.html";
  const Json json = Json::parse(stats({"cohen-kappa", path_, "annotator=who", "--json", "--html", html}));
  EXPECT_EQ(json.find("name")->string(), "cohen-kappa");
  EXPECT_EQ(json.find("value")->number(), 0);
  EXPECT_THAT(read_file(html), HasSubstr("<title>Cohen's kappa</title>"));
}

TEST_F(Stats, RefuseWhatNobodyCanMean) {
  const auto refused = [](std::vector<std::string> words) -> std::string {
    try {
      stats(std::move(words));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refused({"cohen-kapa", path_}), HasSubstr("expected cohen-kappa"));
  EXPECT_THAT(refused({"cohen-kappa"}), HasSubstr("no PATH"));
  EXPECT_THAT(refused({"cohen-kappa", path_, path_}), HasSubstr("a second PATH"));
  EXPECT_THAT(refused({"cohen-kappa", path_, "anotator=who"}), HasSubstr("annotator"));
  EXPECT_THAT(stats({"preference-power", "win_rate=0.6"}), HasSubstr("comparisons"));
}

}  // namespace
}  // namespace attune
