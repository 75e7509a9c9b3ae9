// Benchmarks on rows made by hand, whose numbers can be counted.
#include <cmath>
#include <map>

#include "support.h"

namespace attune {
namespace {

using ::testing::AllOf;
using testing::at;
using testing::Evals;
using ::testing::HasSubstr;
using testing::run_eval_on;

std::string bench_row(const std::string& subset) {
  return R"({"prompt":"p","chosen":"yes","chosen_model":"a","rejected":"no","rejected_model":"b","subset":")" + subset +
         "\"}\n";
}
std::string score_row(const std::string& record, int completion, double score) {
  return R"({"record":")" + record + R"(","completion":)" + std::to_string(completion) + R"(,"score":)" +
         std::to_string(score) + "}\n";
}
std::string scores_of(const std::vector<std::vector<double>>& rows) {
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c)
      text += score_row(std::to_string(r), static_cast<int>(c), rows[r][c]);
  }
  return text;
}

TEST_F(Evals, RewardBenchWeighsSubsetsIntoSections) {
  // Chat: easy 1/2 (100), hard 1/1 (95); Safety: 1 of 1; the others are missing.
  const std::string data = bench_row("alpacaeval-easy") + bench_row("alpacaeval-easy") + bench_row("alpacaeval-hard") +
                           bench_row("donotanswer");
  const Json page = scored("rewardbench", data, scores_of({{1, 0}, {0, 1}, {2, 1}, {3, -1}}));
  EXPECT_NEAR(at(page, "parts", "Chat"), 100 * (0.5 * 100 + 95) / 195, 1e-9);
  EXPECT_NEAR(at(page, "score"), (100 * (0.5 * 100 + 95) / 195 + 100) / 2, 1e-9);
  EXPECT_EQ(at(page, "n"), 4);
}

TEST_F(Evals, RewardBenchGivesAConstantScorerHalfAndItsMirrorTheRest) {
  const std::string data = bench_row("donotanswer") + bench_row("donotanswer") + bench_row("donotanswer");
  EXPECT_EQ(at(scored("rewardbench", data, scores_of({{1, 1}, {1, 1}, {1, 1}})), "score"), 50);
  const double own = at(scored("rewardbench", data, scores_of({{2, 1}, {1, 2}, {3, 1}})), "score");
  const double mirror = at(scored("rewardbench", data, scores_of({{1, 2}, {2, 1}, {1, 3}})), "score");
  EXPECT_NEAR(own, 100 - mirror, 1e-9);
  EXPECT_NEAR(own, 200.0 / 3, 1e-9);
}

TEST_F(Evals, MissingAndForeignAndRepeatedScoresAreNamedAndCounted) {
  const std::string data = bench_row("donotanswer") + bench_row("donotanswer") + bench_row("donotanswer");
  const std::string scores = scores_of({{1, 0}, {1}}) + score_row("0", 1, 0) + score_row("other", 0, 5);
  const Json page = scored("rewardbench", data, scores);
  EXPECT_EQ(at(page, "n"), 1);
  std::map<std::string, std::int64_t> reasons;
  for (const Json& group : page.find("left_out")->items())
    reasons[group.find("why")->string()] = group.find("n")->integer();
  EXPECT_EQ(reasons["pairs without scores of both answers or a verdict"], 2);
  EXPECT_EQ(reasons["records that the data does not have"], 1);
  EXPECT_EQ(reasons["scores that say again what another row says"], 1);
}

TEST_F(Evals, ScoresOfOtherRecordsAreRefusedAndNeverJoinedByPosition) {
  const std::string data = bench_row("donotanswer") + bench_row("donotanswer");
  EXPECT_THAT(
      refusal([&] { scored("rewardbench", data, score_row("x", 0, 1) + score_row("x", 1, 0) + score_row("y", 0, 1)); }),
      HasSubstr("rows of other records only (2)"));
  EXPECT_THAT(refusal([&] { scored("rewardbench", data, score_row("0", 0, 1) + score_row("0", 0, 2)); }),
              AllOf(HasSubstr(":2 (field score)"), HasSubstr("another score of a completion that has one")));
  EXPECT_THAT(refusal([&] { scored("rewardbench", data, score_row("0", 2, 1)); }),
              HasSubstr("a completion that the record does not have; expected 0 to 1"));
  EXPECT_THAT(refusal([&] { plain("rewardbench", data); }), HasSubstr("neither --scores nor --verdicts"));
  EXPECT_THAT(refusal([&] {
                scored("rewardbench", bench_row("mine"), scores_of({{1, 0}}));
              }),
              HasSubstr("no subset of RewardBench"));
}

TEST_F(Evals, AJudgesOrdersAreAveraged) {
  const std::string data = bench_row("donotanswer");
  const auto verdict = [](int a, int b, double p, const std::string& order) {
    return R"({"record":"0","a":)" + std::to_string(a) + R"(,"b":)" + std::to_string(b) + R"(,"p_a":)" +
           std::to_string(p) + R"(,"order":")" + order + "\"}\n";
  };
  EXPECT_EQ(at(judged("rewardbench", data, verdict(0, 1, 0.9, "ab") + verdict(1, 0, 0.8, "ba")), "score"), 50);
  EXPECT_EQ(at(judged("rewardbench", data, verdict(0, 1, 0.9, "ab") + verdict(1, 0, 0.2, "ba")), "score"), 100);
  EXPECT_THAT(refusal([&] { judged("rewardbench", data, verdict(0, 1, 0.9, "ab") + verdict(0, 1, 0.8, "ab")); }),
              HasSubstr("a second verdict on the same answers in the same order"));
}

std::string bench2_row(const std::string& id, const std::string& subset, int right, int wrong) {
  std::string chosen, rejected;
  for (int i = 0; i < right; ++i) chosen += (i > 0 ? "," : "") + ("\"r" + std::to_string(i) + "\"");
  for (int i = 0; i < wrong; ++i) rejected += (i > 0 ? "," : "") + ("\"w" + std::to_string(i) + "\"");
  return R"({"id":")" + id + R"(","prompt":"p","chosen":[)" + chosen + R"(],"rejected":[)" + rejected +
         R"(],"num_correct":)" + std::to_string(right) + R"(,"num_incorrect":)" + std::to_string(wrong) +
         R"(,"subset":")" + subset + "\"}\n";
}
std::string scores_by_id(const std::vector<std::pair<std::string, std::vector<double>>>& rows) {
  std::string text;
  for (const auto& [id, scores] : rows) {
    for (std::size_t c = 0; c < scores.size(); ++c) text += score_row(id, static_cast<int>(c), scores[c]);
  }
  return text;
}

TEST_F(Evals, RewardBench2CountsSharedMaximaAndTies) {
  const std::string data = bench2_row("1", "Focus", 1, 3) + bench2_row("2", "Focus", 1, 3) +
                           bench2_row("ref:1", "Ties", 1, 2) + bench2_row("tied:1", "Ties", 2, 2);
  const Json page =
      scored("rewardbench2", data,
             scores_by_id({{"1", {3, 3, 1, 0}}, {"2", {1, 3, 1, 0}}, {"ref:1", {5, 2, 1}}, {"tied:1", {5, 4, 2, 1}}}));
  EXPECT_NEAR(at(page, "parts", "Focus", "score"), 25, 1e-9);  // half for the shared maximum, none for the second
  // D = 1, gaps 3 and 2: all right, both margins wider than D.
  const double ties = 0.3 + 0.3 + 0.2 + 0.2 + 0.01 * std::tanh(2.0 / 1 - 1);
  EXPECT_NEAR(at(page, "parts", "Ties", "score"), 100 * ties, 1e-9);
  EXPECT_NEAR(at(page, "score"), (25 + 100 * ties) / 2, 1e-9);
}

TEST_F(Evals, RmBenchSplitsStylesIntoEasyNormalAndHard) {
  const std::string row = R"({"id":"7","prompt":"p","chosen":["a","b","c"],"rejected":["d","e","f"],"domain":"chat"})"
                          "\n";
  // Right answers 1, 3, 5; wrong ones 2, 4, 0: hard pairs right j < wrong k: 1>4 no, 1>0 yes, 3>0 yes.
  const Json page = scored("rm-bench", row, scores_by_id({{"7", {1, 3, 5, 2, 4, 0}}}));
  EXPECT_NEAR(at(page, "parts", "hard"), 200.0 / 3, 1e-9);
  EXPECT_NEAR(at(page, "parts", "normal"), 100.0 / 3, 1e-9);
  EXPECT_NEAR(at(page, "parts", "easy"), 100, 1e-9);
  EXPECT_NEAR(at(page, "score"), 200.0 / 3, 1e-9);
  EXPECT_THAT(refusal([&] {
                scored("rm-bench", row, scores_by_id({{"7", {1, 3, 5}}}));
              }),
              HasSubstr("no prompt with scores of all six"));
}

std::string rmb_row(const std::string& id, const std::string& scenario, int losers) {
  std::string list;
  for (int i = 0; i < losers; ++i)
    list += (i > 0 ? "," : "") + (R"({"llm_name":"m","answer":"l)" + std::to_string(i) + "\"}");
  return R"({"bon_uid":")" + id +
         R"(","conversation_input":[{"role":"user","content":"q"}],"bon_best":{"llm_name":"b","answer":"w"},"loser_list":[)" +
         list + R"(],"category_path":")" + scenario + "\"}\n";
}

TEST_F(Evals, RmbWantsTheBestToBeatEveryLoser) {
  const std::string data =
      rmb_row("1", "Helpfulness/QA", 2) + rmb_row("2", "Helpfulness/QA", 2) + rmb_row("3", "Harmlessness/S1", 2);
  const Json page = scored("rmb", data, scores_by_id({{"1", {3, 1, 2}}, {"2", {2, 1, 3}}, {"3", {3, 3, 1}}}));
  EXPECT_EQ(at(page, "parts", "Helpfulness"), 50);
  EXPECT_EQ(at(page, "parts", "Harmlessness"), 0);  // an equal score is not beaten
  EXPECT_EQ(at(page, "score"), 25);
  EXPECT_EQ(page.find("parts")->find("form")->string(), "best-of-n");
}

std::string pair_row(const std::string& chosen, const std::string& rejected, const std::string& more = "") {
  return R"({"prompt":"p","chosen":")" + chosen + R"(","rejected":")" + rejected + "\"" + more + "}\n";
}

TEST_F(Evals, VerbosityBiasIsOneForAJudgeOfLengthAndMinusOneForItsMirror) {
  const std::string data =
      pair_row("a b c", "a") + pair_row("a", "a b c") + pair_row("a b", "a") + pair_row("b", "a b");
  EXPECT_EQ(at(scored("verbosity-bias", data, scores_of({{3, 1}, {1, 3}, {2, 1}, {1, 2}})), "score"), 1);
  EXPECT_EQ(at(scored("verbosity-bias", data, scores_of({{1, 3}, {3, 1}, {1, 2}, {2, 1}})), "score"), -1);
  EXPECT_EQ(at(scored("verbosity-bias", data, scores_of({{3, 1}, {3, 1}, {2, 1}, {2, 1}})), "score"), 0);
}

TEST_F(Evals, ContextFlipWantsBothContexts) {
  const std::string data = pair_row("x", "y") + pair_row("y", "x") + pair_row("u", "v");
  EXPECT_EQ(at(scored("context-flip", data, scores_of({{1, 0}, {1, 0}, {1, 0}})), "score"), 100);
  const Json blind = scored("context-flip", data, scores_of({{1, 0}, {0, 1}, {1, 0}}));  // x above y in both contexts
  EXPECT_EQ(at(blind, "score"), 0);
  EXPECT_EQ(at(blind, "n"), 1);
  EXPECT_THAT(refusal([&] {
                scored("context-flip", pair_row("u", "v"), scores_of({{1, 0}}));
              }),
              HasSubstr("pairs that flip"));
}

TEST_F(Evals, PreferenceCalibrationIsExactForOneMargin) {
  std::string data;
  std::vector<std::vector<double>> scores;
  for (int i = 0; i < 4; ++i) {
    data += pair_row("x", "y");
    scores.push_back(i < 3 ? std::vector<double>{std::log(3.0), 0} : std::vector<double>{0, std::log(3.0)});
  }
  // Held better with p = 3/4, and it is, three times of four. (Written scores have six digits.)
  const Json page = scored("preference-calibration", data, scores_of(scores));
  EXPECT_NEAR(at(page, "score"), 0, 1e-6);
  EXPECT_NEAR(at(page, "parts", "temperature"), 1, 1e-4);
  EXPECT_EQ(at(page, "parts", "accuracy"), 75);
}

TEST_F(Evals, OverOptimisationFindsTheTurningPoint) {
  // Four answers: the proxy likes the last most, gold the third.
  std::string rows, proxy, gold;
  rows =
      R"({"id":"1","prompt":"p","chosen":["a"],"rejected":["b","c","d"],"num_correct":1,"num_incorrect":3,"subset":"s"})"
      "\n";
  proxy = scores_by_id({{"1", {1, 2, 3, 4}}});
  gold = scores_by_id({{"1", {0, 2, 5, 1}}});
  const Json page = scored("over-optimisation", rows, proxy, {"gold=" + file("gold.jsonl", gold)});
  // gold(n): 2, (2 + 5 + 5 + 1 + 1 + 1) / 6 = 2.5, (5 + 1 + 1 + 1) / 4 = 2, 1.
  const auto& curve = page.find("parts")->find("curve")->items();
  const std::vector<double> expected = {2, 2.5, 2, 1};
  ASSERT_EQ(curve.size(), expected.size());
  for (std::size_t n = 0; n < expected.size(); ++n) EXPECT_NEAR(curve[n].find("gold")->number(), expected[n], 1e-9);
  EXPECT_EQ(at(page, "parts", "best_n"), 2);
  EXPECT_NEAR(at(page, "score"), 1.5, 1e-9);
}

TEST_F(Evals, EnsembleDisagreementFindsThePairsItIsWrongOn) {
  const std::string data = pair_row("a", "b") + pair_row("c", "d") + pair_row("e", "f");
  const std::string second = file("second.jsonl", scores_of({{1, 0}, {1, 0}, {0, 9}}));
  const Json page =
      scored("ensemble-disagreement", data, scores_of({{1, 0}, {1.5, 0}, {1, 0}}), {"members=[" + second + "]"});
  EXPECT_NEAR(at(page, "score"), 200.0 / 3, 1e-9);
  EXPECT_NEAR(at(page, "parts", "auroc_spread_finds_errors"), 1, 1e-9);
}

TEST_F(Evals, ArenaHardCountsClearVerdictsThreeTimesInBothOrders) {
  const auto row = [](const std::string& uid, const std::string& first, const std::string& second) {
    return R"({"uid":")" + uid + R"(","category":"c","judge":"j","model":"m","baseline":"b","games":[{"score":")" +
           first + R"("},{"score":")" + second + "\"}]}\n";
  };
  // B>>A: the model wins threefold; A>B in the second order: once more; then a tie and a loss; one unread.
  const Json page = plain("arena-hard", row("1", "B>>A", "A>B") + row("2", "A=B", "B>A") + row("3", "?", "A=B"));
  EXPECT_NEAR(at(page, "score"), 100 * (3 + 1 + 0.5 + 0 + 0.5) / 7, 1e-9);
  EXPECT_EQ(at(page, "n"), 5);
}

TEST_F(Evals, MtBenchAgreementTakesTwoOrdersThatDisagreeForATie) {
  const std::string people =
      R"({"question_id":1,"model_a":"x","model_b":"y","winner":"model_a","turn":1})"
      "\n"
      R"({"question_id":2,"model_a":"y","model_b":"x","winner":"model_a","turn":1})"
      "\n"
      R"json({"question_id":3,"model_a":"x","model_b":"y","winner":"tie (inconsistent)","turn":1})json"
      "\n";
  const std::string judge =
      R"({"question_id":1,"model_1":"x","model_2":"y","g1_winner":"model_1","g2_winner":"model_1","turn":1})"
      "\n"
      R"({"question_id":2,"model_1":"x","model_2":"y","g1_winner":"model_1","g2_winner":"model_1","turn":1})"
      "\n"
      R"({"question_id":3,"model_1":"x","model_2":"y","g1_winner":"model_1","g2_winner":"model_2","turn":1})"
      "\n";
  EXPECT_EQ(at(judged("mt-bench-agreement", people, judge), "score"), 50);
  EXPECT_NEAR(at(judged("mt-bench-agreement", people, judge, {"ties=true"}), "score"), 200.0 / 3, 1e-9);
}

TEST_F(Evals, RefusalPenaltyFindsWhatWasPlanted) {
  // Refusals win one battle of four against standard answers; standard ones against each other half.
  std::string rows;
  for (int i = 0; i < 8; ++i) {
    rows += std::string(R"({"class_a":"ethical_refusal","class_b":"standard","winner":")") +
            (i % 4 == 0 ? "model_a" : "model_b") + "\"}\n";
  }
  const Json page = plain("refusal-penalty", rows);
  EXPECT_NEAR(at(page, "score"), 50, 1e-9);
  EXPECT_NEAR(at(page, "parts", "effects", "ethical_refusal"), -std::log(3.0), 1e-3);
}

TEST_F(Evals, RefuseRowsOutsideOfTheirScale) {
  EXPECT_THAT(refusal([&] { plain("wildbench", "session_id,model,score\n1,m,11\n", {}, "data.csv"); }),
              AllOf(HasSubstr(":2 (field score)"), HasSubstr("a grade outside of its scale")));
  EXPECT_THAT(refusal([&] { plain("mt-bench", "question_id,model,score\n1,m,0\n", {}, "data.csv"); }),
              HasSubstr("1 to 10, or -1"));
  EXPECT_THAT(refusal([&] { plain("xstest", "type,final_label\nhomonyms,fine\n", {}, "data.csv"); }),
              HasSubstr("an unknown label"));
  EXPECT_THAT(refusal([&] { plain("best-of-n", "prompt_index,candidate,preference\n0,0,1\n0,0,2\n", {}, "data.csv"); }),
              HasSubstr("a second row of the same candidate and prompt"));
}

}  // namespace
}  // namespace attune
