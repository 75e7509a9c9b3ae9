// The published numbers of real data, wherever that lies beside the project.
#include "support.h"

namespace attune {
namespace {

using testing::at;
using testing::run_eval_on;
using testing::shared_data;

class Published : public ::testing::Test {
 protected:
  void SetUp() override {
    if (shared_data().empty()) GTEST_SKIP() << "no real data beside the project";
  }
  static Json expected(const std::string& name) {
    return *Json::parse(read_file(shared_data() / "expected_numbers.json")).find(name)->find("value");
  }
  static std::string place(const std::string& path) { return (shared_data() / path).string(); }
};

TEST_F(Published, RewardBenchSectionsComeFromSubsetAccuracies) {
  const Json all = expected("rewardbench1_sections");
  for (const auto& [model, value] : all.members()) {
    const Json page = run_eval_on(
        {.data = Evidence(place("reward_bench/rewardbench1-subset-scores/" + model + ".json"))}, "rewardbench", {});
    for (const auto& [section, accuracy] : value.members()) {
      const double own = section == "average" ? at(page, "score") : at(page, "parts", section);
      EXPECT_NEAR(own, accuracy.number(), 1e-6) << model << " " << section;
    }
  }
}

TEST_F(Published, JudgeBenchAccuraciesComeFromBothOrders) {
  const Json all = expected("judgebench");
  for (const auto& [judge, value] : all.members()) {
    const EvalInput input{.data = Evidence(place("reward_bench/judgebench/gpt-4o.jsonl.gz")),
                          .verdicts = place("reward_bench/judgebench/judge_decisions.jsonl.gz")};
    const Json page = run_eval_on(input, "judgebench", {"judge=" + judge});
    EXPECT_EQ(at(page, "n"), 350) << judge;
    EXPECT_NEAR(at(page, "score"), at(value, "overall"), 0.005) << judge;
    for (const char* category : {"Knowledge", "Math", "Reasoning", "Coding"}) {
      EXPECT_NEAR(at(page, "parts", category, "score"), at(value, category), 0.005) << judge << " " << category;
    }
  }
}

TEST_F(Published, JudgeBenchInOneOrderFlattersAJudgeThatPrefersTheFirst) {
  const EvalInput input{.data = Evidence(place("reward_bench/judgebench/gpt-4o.jsonl.gz")),
                        .verdicts = place("reward_bench/judgebench/judge_decisions.jsonl.gz")};
  EXPECT_NEAR(at(run_eval_on(input, "judgebench", {"judge=arena_hard:o1-mini", "orders=first"}), "score"), 70.86,
              0.005);
}

TEST_F(Published, AlpacaEvalRatesAreThoseOfTheLeaderboard) {
  const Json all = expected("alpaca_eval");
  for (const auto& [model, value] : all.members()) {
    const EvalInput input{.data = Evidence(place("alpaca_eval/" + model)), .baseline = place("alpaca_eval")};
    const Json page = run_eval_on(input, "alpaca-eval", {"resamples=0"});
    EXPECT_NEAR(at(page, "parts", "win_rate"), at(value, "win_rate_published"), 1e-9) << model;
    EXPECT_NEAR(at(page, "parts", "standard_error"), at(value, "standard_error_published"), 1e-9) << model;
    EXPECT_EQ(at(page, "n"), at(value, "n_rows")) << model;
    if (at(value, "n_rows") != 805) continue;  // published with difficulties of other instructions
    EXPECT_NEAR(at(page, "parts", "length_controlled_win_rate"), at(value, "lc_published"), 0.1) << model;
    if (const Json* weights = page.find("parts")->find("length_controlled_by_published_weights")) {
      EXPECT_NEAR(weights->number(), at(value, "lc_published"), 0.025) << model;
    }
  }
}

TEST_F(Published, AlpacaEvalJoinsByInstructionUnlessAskedToRepeatTheRowJoin) {
  const Json value = *expected("alpaca_eval_misaligned").find("text_davinci_001");
  const EvalInput input{.data = Evidence(place("alpaca_eval/text_davinci_001")), .baseline = place("alpaca_eval")};
  EXPECT_NEAR(at(run_eval_on(input, "alpaca-eval", {"resamples=0"}), "score"), at(value, "by_instruction"), 0.3);
  EXPECT_NEAR(at(run_eval_on(input, "alpaca-eval", {"resamples=0", "row_join=true"}), "score"),
              at(value, "by_row_position"), 0.3);
}

TEST_F(Published, WildBenchScoresAreTwiceTheMeanGradeLessFive) {
  const Json page =
      run_eval_on({.data = Evidence(place("arena/wildbench.gpt-4o.scores.csv.gz"))}, "wildbench", {"resamples=0"});
  const Json published = Json::parse(read_file(shared_data() / "arena/wildbench.published_scores.json"));
  for (const auto& [model, value] : published.members()) {
    if (value.is_null()) continue;  // a row of the leaderboard without numbers
    EXPECT_NEAR(at(page, "parts", "models", model, "score"), at(value, "adjusted_score"), 1e-6) << model;
  }
}

TEST_F(Published, MeanGradesOfArenaBenchLeaveUnreadGradesOut) {
  const Json page =
      run_eval_on({.data = Evidence(place("arena/arena-bench-v1.single_scores.csv.gz"))}, "mt-bench", {"resamples=0"});
  const Json all = expected("arena_bench_mean_scores");
  for (const auto& [model, value] : all.members()) {
    EXPECT_NEAR(at(page, "parts", "models", model, "score"), at(value, "mean"), 1e-6) << model;
    EXPECT_EQ(at(page, "parts", "models", model, "n"), at(value, "n")) << model;
  }
}

// "81 / 100 = 81.0%" -> 81.0
double percent_of(const Json& row, const std::string& key) {
  const std::string& text = row.find(key)->string();
  const std::size_t equals = text.find("= ");
  return std::stod(text.substr(equals == std::string::npos ? 0 : equals + 2));
}

TEST_F(Published, LlmBarJudgesReachTheirPublishedCells) {
  const Json page =
      run_eval_on({.data = Evidence(place("judge/llmbar/evaluator_winners.csv.gz"))}, "llmbar", {"resamples=0"});
  std::size_t cells = 0;
  for (const Evidence file{place("judge/llmbar/published_statistics.jsonl.gz")}; const EvidenceRow& row : file.rows()) {
    const Json* judge = page.find("parts")->find("judges")->find(text_in(row, "evaluator"));
    if (judge == nullptr) continue;
    const Json* own = judge->find(text_in(row, "subset"));
    if (own == nullptr) continue;
    ++cells;
    EXPECT_NEAR(at(*own, "accuracy_first_order"), percent_of(row.value, "correct_False"), 0.051);
    EXPECT_NEAR(at(*own, "accuracy_second_order"), percent_of(row.value, "correct_True"), 0.051);
    EXPECT_NEAR(at(*own, "accuracy"), percent_of(row.value, "correct_average"), 0.051);
    EXPECT_NEAR(at(*own, "positional_agreement"), percent_of(row.value, "equal"), 0.051);
  }
  EXPECT_GE(cells, 195u);
}

TEST_F(Published, PandaLmPeopleAgreeAsPublished) {
  const Json value = expected("pandalm");
  const Json page = run_eval_on({.data = Evidence(place("judge/pandalm/testset-v1.json.gz")),
                                 .verdicts = place("judge/pandalm/pandalm-7b-testset-v1.json.gz")},
                                "pandalm", {"resamples=0"});
  EXPECT_NEAR(at(page, "parts", "people", "fleiss_kappa"), at(value, "fleiss_kappa"), 1e-6);
  EXPECT_NEAR(at(page, "parts", "people", "krippendorff_alpha"), at(value, "krippendorff_alpha_nominal"), 1e-6);
  for (const char* label : {"0", "1", "2"}) {
    EXPECT_EQ(at(page, "parts", "people", "majority_counts", label), at(value, "majority_counts", label));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(page.find("parts")->find("people")->find("cohen_kappa_12_13_23")->items()[i].number(),
                value.find("cohen_kappa_12_13_23")->items()[i].number(), 1e-6);
  }
}

TEST_F(Published, XsTestRefusalsAreThoseOfThePaper) {
  const Json all = expected("xstest");
  for (const auto& [model, value] : all.members()) {
    const auto run = [&, name = model](const char* judge) {
      return run_eval_on({.data = Evidence(place("safety/xstest/xstest_v2_completions_" + name + judge))}, "xstest",
                         {});
    };
    const Json page = run("_gpteval.csv.gz");
    for (const char* kind : {"safe_percent", "unsafe_percent"}) {
      for (const auto& [label, share] : value.find(kind)->members()) {
        EXPECT_NEAR(at(page, "parts", kind, label), share.number(), 1e-6) << model << kind << label;
      }
    }
    EXPECT_NEAR(at(page, "parts", "human_agreement"), at(value, "human_agreement"), 1e-6);
    EXPECT_NEAR(at(page, "parts", "human_cohen_kappa"), at(value, "human_cohen_kappa"), 1e-6);
    EXPECT_NEAR(at(page, "parts", "judge", "accuracy"), at(value, "gpt4_vs_final_accuracy"), 1e-6);
    EXPECT_NEAR(at(run("_streval.csv.gz"), "parts", "judge", "accuracy"), at(value, "string_match_vs_final_accuracy"),
                1e-6);
  }
}

TEST_F(Published, BbqFindsTheBiasOfUnifiedQa) {
  const Json page = run_eval_on({.data = Evidence(place("safety/bbq/preds_Age.jsonl.gz"))}, "bbq",
                                {"prediction=unifiedqa-t5-11b_pred_race"});
  EXPECT_NEAR(at(page, "parts", "accuracy_ambiguous"), 54.7, 0.05);
  EXPECT_NEAR(at(page, "parts", "bias_ambiguous"), 29.8, 0.05);
  EXPECT_NEAR(at(page, "parts", "accuracy_disambiguated"), 93.5, 0.05);
}

TEST_F(Published, FactScoreOfChatGptIsThatOfThePaper) {
  const Json value = *expected("factscore").find("ChatGPT");
  const Json page =
      run_eval_on({.data = Evidence(place("judge/factscore/ChatGPT.jsonl.gz"))}, "factscore", {"resamples=0"});
  EXPECT_NEAR(at(page, "score"), at(value, "factscore_IR_counted_unsupported_percent"), 1e-6);
  EXPECT_NEAR(at(page, "parts", "irrelevant_dropped"), at(value, "IR_dropped_percent"), 1e-6);
  for (const char* count : {"responses", "abstained", "responses_scored"}) {
    EXPECT_EQ(at(page, "parts", count), at(value, count)) << count;
  }
}

TEST_F(Published, BestOfEightLiesBetweenARandomOneAndTheJudgesOwn) {
  const Json value = expected("bon");
  const Json page = run_eval_on({.data = Evidence(place("bon/preferences.csv.gz"))}, "best-of-n", {"resamples=0"});
  for (const auto& [candidate, rate] : value.find("win_rate_by_candidate")->members()) {
    EXPECT_NEAR(at(page, "parts", "by_candidate", candidate), rate.number(), 1e-6) << candidate;
  }
  EXPECT_NEAR(at(page, "parts", "random"), at(value, "random_of_8"), 1e-6);
  EXPECT_NEAR(at(page, "parts", "oracle"), at(value, "oracle_best_of_8"), 1e-6);
}

}  // namespace
}  // namespace attune
