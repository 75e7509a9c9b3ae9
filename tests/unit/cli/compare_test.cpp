#include <gtest/gtest.h>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/cli/verbs.h"
#include "support/temporary.h"

namespace attune {
namespace {

class Compare : public ::testing::Test {
 protected:
  void write_run(const std::string& name, const std::string& settings, const std::string& metrics) {
    disk().make_directories(folder_ / name);
    write_durably(disk(), folder_ / name / "resolved.yaml", settings);
    write_durably(disk(), folder_ / name / "metrics.jsonl", metrics);
  }
  // What the command prints.
  std::string compare(std::vector<std::string> words) {
    Arguments arguments("compare", std::move(words));
    ::testing::internal::CaptureStdout();
    run_compare(arguments);
    return ::testing::internal::GetCapturedStdout();
  }

  testing::TemporaryDirectory folder_;
};

TEST_F(Compare, SaysWhatDiffersAndHowBothWent) {
  write_run("a", "seed: 1\nobjective:\n  dpo:\n    beta: 0.1\nout: a\n",
            "{\"step\":1,\"loss\":0.7}\n{\"step\":2,\"loss\":0.6,\"eval_loss\":0.65}\n");
  write_run("b", "seed: 1\nobjective:\n  dpo:\n    beta: 0.5\nout: b\n",
            "{\"step\":1,\"loss\":0.7}\n{\"step\":2,\"loss\":0.5,\"eval_loss\":0.8}\n{\"step\":3,\"lo");
  const std::string a = (folder_ / "a").string(), b = (folder_ / "b").string(), html = (folder_ / "c.html").string();
  EXPECT_EQ(compare({a, b, "--html", html}),
            "                    a     b\n"
            "objective.dpo.beta  0.1   0.5\n"
            "last loss           0.6   0.5\n"
            "last eval_loss      0.65  0.8\n");
  EXPECT_NE(read_file(html).find("<svg"), std::string::npos);
  const Json json = Json::parse(compare({a, b, "--json"}));
  const Json& second = json.find("runs")->items().at(1);
  EXPECT_EQ(second.find("settings")->find("objective.dpo.beta")->string(), "0.5");
  EXPECT_EQ(second.find("metrics")->find("loss")->number(), 0.5);
}

TEST_F(Compare, ARunThatIsNoneIsRefused) {
  const auto run = [&](const char* name) {
    Arguments arguments("compare", {(folder_ / name).string()});
    run_compare(arguments);
  };
  EXPECT_THROW(run("none"), MissingInput);
  write_run("empty", "seed: 1\n", "");
  EXPECT_THROW(run("empty"), DataError);
}

}  // namespace
}  // namespace attune
