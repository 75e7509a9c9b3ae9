// What cannot be said is refused in one line that names the place and what to do.
#include "support.h"

namespace attune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Statistics;

TEST_F(Statistics, RefuseARatingOutsideOfItsScaleWithItsLine) {
  const std::string rows = "item,annotator,value\n1,x,3\n1,y,9\n";
  EXPECT_THAT(refusal("krippendorff-alpha", rows, {"highest=5"}),
              AllOf(HasSubstr(":3 (field value)"), HasSubstr("outside of its scale"), HasSubstr("at most 5"),
                    Not(HasSubstr("9;"))));
  EXPECT_THAT(refusal("krippendorff-alpha", "item,annotator,value\n1,x,good\n1,y,awful\n", {"scale=[bad, good]"}),
              HasSubstr(":3 (field value): found a rating outside of the scale; expected bad, good"));
}

TEST_F(Statistics, RefuseOneAnnotatorWhereAgreementIsAsked) {
  for (const char* name : {"krippendorff-alpha", "cohen-kappa", "fleiss-kappa", "gwet-ac", "icc", "kendall-w",
                           "dawid-skene", "mace", "glad"}) {
    EXPECT_THAT(refusal(name, "item,annotator,value\n1,x,3\n2,x,4\n"),
                HasSubstr("found one annotator; expected at least two"))
        << name;
    EXPECT_THAT(refusal(name, "item,annotator,value\n1,x,3\n2,y,4\n"), HasSubstr("no item that two annotators rated"))
        << name;
  }
}

TEST_F(Statistics, RefuseConstantLabels) {
  for (const char* name : {"krippendorff-alpha", "cohen-kappa", "fleiss-kappa", "gwet-ac", "icc"}) {
    EXPECT_THAT(refusal(name, "item,annotator,value\n1,x,3\n1,y,3\n2,x,3\n2,y,3\n"), HasSubstr("all ratings equal"))
        << name;
  }
  EXPECT_THAT(refusal("spearman", "x,y\n1,2\n1,3\n"), HasSubstr("a constant column x"));
}

TEST_F(Statistics, RefuseDuplicateIdsUnlessTheLastIsAskedFor) {
  const std::string rows = "item,annotator,value\n1,x,1\n1,y,2\n1,x,2\n2,x,1\n2,y,1\n";
  EXPECT_THAT(refusal("cohen-kappa", rows),
              AllOf(HasSubstr(":4"), HasSubstr("second rating"), HasSubstr("repeats=last")));
  EXPECT_EQ(testing::at(run("cohen-kappa", rows, {"repeats=last"}), "value"), 1);
  EXPECT_THAT(refusal("fleiss-kappa", "item,p,q\n1,1,2\n1,2,2\n", {"columns=[p,q]"}),
              HasSubstr("an item that an earlier row has"));
}

TEST_F(Statistics, NameThePartsThatNoComparisonConnects) {
  const std::string rows = "a,b,winner\nx,y,a\ny,x,a\nu,v,tie\n";
  for (const char* name : {"bradley-terry", "elo", "trueskill"}) {
    EXPECT_THAT(refusal(name, rows), AllOf(HasSubstr("2 parts"), HasSubstr("{x, y}, {u, v}"))) << name;
  }
  EXPECT_EQ(run("bradley-terry", rows, {"prior=1", "resamples=0"}).find("ratings")->size(), 4u);
}

TEST_F(Statistics, SayWhoMakesComparisonsSeparableAndRegulariseOnRequest) {
  const std::string rows = "a,b,winner\nx,y,a\nx,y,b\nx,z,a\ny,z,a\n";
  EXPECT_THAT(refusal("bradley-terry", rows), AllOf(HasSubstr("separable"), HasSubstr("{z}"), HasSubstr("prior=1")));
  EXPECT_THAT(refusal("plackett-luce", R"({"ranking":["x","y","z"]})", {}, "r.jsonl"), HasSubstr("separable"));
  const Json page = run("bradley-terry", rows, {"prior=1", "resamples=20"});
  EXPECT_LT(page.find("gradient")->number(), 1e-6);
}

TEST_F(Statistics, RefuseAWinnerThatIsNobody) {
  EXPECT_THAT(refusal("bradley-terry", "a,b,winner\nx,y,zebra\n"),
              AllOf(HasSubstr(":2 (field winner)"), HasSubstr("neither of the two"), Not(HasSubstr("zebra"))));
  EXPECT_THAT(refusal("bradley-terry", "a,b,winner\nx,x,a\n"), HasSubstr("compared with itself"));
}

TEST_F(Statistics, RefuseUnequalNumbersOfRatingsWhereTheFormulaNeedsThem) {
  EXPECT_THAT(refusal("fleiss-kappa", "item,annotator,value\n1,x,1\n1,y,2\n2,x,1\n2,y,1\n2,z,1\n"),
              AllOf(HasSubstr("items with 2 and with 3 ratings"), HasSubstr("krippendorff-alpha")));
}

TEST_F(Statistics, RefuseProbabilitiesAndLabelsOutsideOfZeroAndOne) {
  EXPECT_THAT(refusal("calibration", "probability,label\n0.5,1\n1.5,0\n"), HasSubstr(":3 (field probability)"));
  EXPECT_THAT(refusal("calibration", "probability,label\n0.5,2\n"), HasSubstr(":2 (field label)"));
  EXPECT_THAT(refusal("win-rate", "preference\n1\n3\n"), HasSubstr(":3 (field preference)"));
}

TEST_F(Statistics, SayWhereNoTemperatureFits) {
  const Json page = run("calibration", "probability,label\n0.9,1\n0.2,0\n0.7,1\n", {"resamples=0"});
  EXPECT_TRUE(page.find("temperature")->find("separable")->boolean());
  EXPECT_TRUE(page.find("temperature")->find("value")->is_null());
}

TEST_F(Statistics, RefuseScoresOfOtherRecordsAndJoinByRecord) {
  const std::string pairs = R"({"id":"p","prompt":"q","chosen":"yes","rejected":"no"})"
                            "\n"
                            R"({"id":"r","prompt":"s","chosen":"a","rejected":"b"})"
                            "\n";
  const auto score = [](const std::string& record, int completion, double value) {
    return Json::object({{"record", record}, {"completion", completion}, {"score", value}}).str() + "\n";
  };
  const auto scores = directory_ / "scores.jsonl";
  const std::string option = "scores=" + scores.string();
  write_durably(disk(), scores, score("other", 0, 1));
  EXPECT_THAT(refusal("calibration", pairs, {option}, "pairs.jsonl"),
              HasSubstr("a record that the data does not have"));
  write_durably(disk(), scores, score("1", 1, 0) + score("0", 0, 2) + score("0", 1, 1));
  EXPECT_THAT(refusal("calibration", pairs, {option}, "pairs.jsonl"),
              AnyOf(HasSubstr("no score of an answer"), HasSubstr("does not have")));
  write_durably(disk(), scores, score("0", 0, 2) + score("0", 0, 2));
  EXPECT_THAT(refusal("calibration", pairs, {option}, "pairs.jsonl"),
              AnyOf(HasSubstr("second score"), HasSubstr("does not have")));
}

TEST_F(Statistics, NameAMissingColumnAndABrokenRow) {
  EXPECT_THAT(refusal("spearman", "x,z\n1,2\n"), HasSubstr("(field y): found no such column"));
  EXPECT_THAT(refusal("win-rate", "{\"preference\":1}\n{\"preference\":\n", {}, "rows.jsonl"),
              HasSubstr("rows.jsonl:2"));
  EXPECT_THAT(refusal("pass-at-k", "item,correct,n\n1,5,3\n"), HasSubstr("0 to n"));
  EXPECT_THAT(refusal("plackett-luce", R"({"ranking":["x","x"]})", {}, "r.jsonl"), HasSubstr("a contestant twice"));
}

}  // namespace
}  // namespace attune
