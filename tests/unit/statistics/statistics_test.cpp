// Statistics as the command runs them, on tables and on preference data.
#include "attune/statistics/statistic.h"

#include <cmath>
#include <set>

#include "support.h"

namespace attune {
namespace {

using testing::at;
using testing::Statistics;

TEST_F(Statistics, AreAllInTheCatalogue) {
  std::set<std::string_view> names;
  for (const auto& row : part_rows<Statistic>()) names.insert(row.path);
  for (const char* name : {"cohen-kappa",
                           "fleiss-kappa",
                           "krippendorff-alpha",
                           "gwet-ac",
                           "icc",
                           "kendall-tau",
                           "kendall-w",
                           "spearman",
                           "dawid-skene",
                           "mace",
                           "glad",
                           "crowd-bt",
                           "bradley-terry",
                           "plackett-luce",
                           "elo",
                           "trueskill",
                           "style-control",
                           "calibration",
                           "win-rate",
                           "length-controlled-win-rate",
                           "best-of-n",
                           "pass-at-k",
                           "preference-power",
                           "vote-entropy",
                           "group-agreement",
                           "soft-label-distance"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

const char* const votes =
    "item,annotator,value,group\n1,x,yes,p\n1,y,yes,p\n1,z,no,q\n2,x,no,p\n2,y,no,p\n2,z,no,q\n"
    "3,x,yes,p\n3,y,no,p\n3,z,yes,q\n4,x,no,p\n4,y,no,p\n4,z,yes,q\n";

TEST_F(Statistics, ReadLongAndWideTablesAlike) {
  const std::string wide = "item,x,y,z\n1,yes,yes,no\n2,no,no,no\n3,yes,no,yes\n4,no,no,yes\n";
  for (const char* name : {"krippendorff-alpha", "fleiss-kappa", "cohen-kappa", "gwet-ac"}) {
    const double value = at(run(name, votes), "value");
    EXPECT_TRUE(std::isfinite(value));
    EXPECT_EQ(value, at(run(name, wide, {"columns=[x, y, z]"}), "value")) << name;
  }
}

TEST_F(Statistics, OfAnnotatorsDoNotHangOnTheOrderOfRows) {
  std::string turned =
      "item,annotator,value,group\n4,z,yes,q\n4,y,no,p\n4,x,no,p\n3,z,yes,q\n3,y,no,p\n3,x,yes,p\n"
      "2,z,no,q\n2,y,no,p\n2,x,no,p\n1,z,no,q\n1,y,yes,p\n1,x,yes,p\n";
  for (const char* name : {"krippendorff-alpha", "fleiss-kappa", "cohen-kappa", "gwet-ac", "vote-entropy"}) {
    EXPECT_NEAR(at(run(name, votes), "value"), at(run(name, turned), "value"), 1e-12) << name;
  }
}

TEST_F(Statistics, EntropyListsTheMostSplitItemsFirst) {
  const Json page = run("vote-entropy", votes, {"resamples=0"});
  EXPECT_EQ(page.find("unanimous")->integer(), 1);
  EXPECT_EQ(page.find("items")->items().back().find("item")->string(), "2");
  const double third = -(1.0 / 3) * std::log2(1.0 / 3) - (2.0 / 3) * std::log2(2.0 / 3);
  EXPECT_NEAR(at(page, "value"), 3 * third / 4, 1e-12);
}

TEST_F(Statistics, GroupsAreComparedByAColumn) {
  const Json page = run("group-agreement", votes, {"least_raters=2", "permutations=20"});
  ASSERT_EQ(page.find("groups")->size(), 1u);  // q has one annotator
  EXPECT_EQ(page.find("groups")->items()[0].find("group")->string(), "p");
}

TEST_F(Statistics, ModelsOfAnnotatorsAnswerEveryItem) {
  for (const char* name : {"dawid-skene", "mace", "glad"}) {
    const Json page = run(name, votes);
    EXPECT_EQ(page.find("items")->size(), 4u) << name;
    EXPECT_EQ(page.find("annotators")->size(), 3u) << name;
    EXPECT_EQ(page.find("items")->items()[1].find("label")->string(), "no") << name;
  }
}

const char* const battles =
    "model_a,model_b,winner,annotator,tokens_a,tokens_b\nx,y,model_a,u,10,5\ny,x,model_a,u,7,7\n"
    "x,z,tie,w,9,3\ny,z,z,w,2,8\nz,x,x,u,4,8\nz,y,tie (bothbad),w,3,3\nx,y,,w,1,1\n";

TEST_F(Statistics, RatingsComeInPointsWithAnAnchor) {
  for (const char* name : {"bradley-terry", "elo", "style-control"}) {
    const Json page = run(name, battles, {"anchor=x", "anchor_rating=1500", "resamples=10"});
    EXPECT_EQ(page.find("undecided")->integer(), 1) << name;
    for (const Json& row : page.find("ratings")->items()) {
      if (row.find("contestant")->string() == "x") {
        EXPECT_NEAR(at(row, "rating"), 1500, 1e-9) << name;
      }
    }
  }
  EXPECT_EQ(run("crowd-bt", battles).find("annotators")->size(), 2u);
  EXPECT_EQ(run("trueskill", battles).find("ratings")->size(), 3u);
  for (const char* ties : {"ties=davidson", "ties=rao-kupper"}) {
    EXPECT_GT(at(run("bradley-terry", battles, {ties, "resamples=5"}), "tie_parameter"), 0) << ties;
  }
}

TEST_F(Statistics, RankingsComeAsListsOrRows) {
  const std::string lists =
      "{\"ranking\":[\"x\",\"y\",\"z\"]}\n{\"ranking\":[\"y\",\"z\",\"x\"]}\n{\"ranking\":[\"z\",[\"x\",\"y\"]]}\n";
  const std::string rows = "ranking,contestant,rank\n1,x,1\n1,y,2\n1,z,3\n2,y,1\n2,z,2\n2,x,3\n3,z,1\n3,x,2\n3,y,2\n";
  const Json first = run("plackett-luce", lists, {"resamples=5"}, "r.jsonl"),
             second = run("plackett-luce", rows, {"resamples=5"});
  EXPECT_NEAR(at(first, "log_likelihood"), at(second, "log_likelihood"), 1e-9);
  EXPECT_LT(at(first, "gradient"), 1e-8);
}

TEST_F(Statistics, PreferenceDataIsReadByItsFormat) {
  std::string rows;
  for (const char* winner : {"model_a", "model_b", "tie"}) {
    rows += Json::object(
                {{"question_id", std::string("q") + winner}, {"model_a", "x"}, {"model_b", "y"}, {"winner", winner}})
                .str() +
            "\n";
  }
  EXPECT_EQ(run("bradley-terry", rows, {"resamples=0"}, "r.jsonl").find("ratings")->size(), 2u);
  std::string scored;
  for (int i = 0; i < 4; ++i) {
    scored += Json::object({{"prompt", "p" + std::to_string(i)},
                            {"chosen", "yes"},
                            {"rejected", "n"},
                            {"score_chosen", i == 3 ? 0.5 : 2.0},
                            {"score_rejected", 1.0}})
                  .str() +
              "\n";
  }
  const Json page = run("calibration", scored, {"resamples=0"}, "pairs.jsonl");
  EXPECT_EQ(page.find("n")->integer(), 4);
  EXPECT_EQ(at(page, "accuracy"), 0.75);
  EXPECT_EQ(page.find("pairs")->string(), "folded");
}

TEST_F(Statistics, ForecastsAnswersAndChances) {
  const Json calibration =
      run("calibration", "logit,won\n0,1\n2,1\n-1,0\n1,0\n", {"logit=logit", "label=won", "bins=2"});
  EXPECT_NEAR(at(calibration, "accuracy"), (0.5 + 1 + 1 + 0) / 4, 1e-12);
  const Json best = run("best-of-n", "item,score,gold\n1,1,1\n1,2,3\n2,5,2\n2,4,4\n", {"resamples=0"});
  EXPECT_NEAR(at(best.find("by_n")->items()[0], "value"), 2.5, 1e-12);
  EXPECT_NEAR(at(best.find("by_n")->items()[1], "value"), 2.5, 1e-12);
  EXPECT_NEAR(at(best.find("by_n")->items()[1], "oracle"), 3.5, 1e-12);
  const Json pass = run("pass-at-k", "item,correct\n1,1\n1,0\n2,0\n2,0\n", {"resamples=0"});
  EXPECT_NEAR(at(pass.find("by_k")->items()[0], "value"), 0.25, 1e-12);
  const Json soft =
      run("soft-label-distance", "{\"people\":{\"a\":3,\"b\":1},\"model\":{\"b\":0.25,\"a\":0.75}}\n", {}, "s.jsonl");
  EXPECT_NEAR(at(soft, "value"), 0, 1e-12);
  EXPECT_EQ(at(run("win-rate", "preference\n2\n1\n1.5\n\n", {"resamples=0"}), "win_rate"), 50);
  const Json lc =
      run("length-controlled-win-rate", "preference,d\n2,-9\n1.2,3\n1,8\n1.9,-2\n", {"difference=d", "resamples=0"});
  EXPECT_TRUE(lc.find("converged")->boolean());
}

TEST_F(Statistics, PowerNeedsNoData) {
  const Json page = testing::run_on(Evidence(), "preference-power", {"win_rate=0.6", "ties=0.2", "n=100"});
  EXPECT_EQ(page.find("comparisons")->integer(),
            static_cast<std::int64_t>(std::ceil(at(page, "decided_comparisons") / 0.8)));
  EXPECT_LT(at(page, "power_at_n"), 0.8);
}

}  // namespace
}  // namespace attune
