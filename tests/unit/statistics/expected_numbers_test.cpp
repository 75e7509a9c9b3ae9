// The recorded numbers of real data, wherever that lies beside the project.
#include <cmath>
#include <map>

#include "attune/base/files.h"
#include "attune/stats/best_of_n.h"
#include "attune/stats/kappa.h"
#include "attune/stats/ranks.h"
#include "attune/stats/win_rate.h"
#include "support.h"

namespace attune {
namespace {

using testing::at;
using testing::run_on_file;
using testing::shared_data;

class ExpectedNumbers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (shared_data().empty()) GTEST_SKIP() << "no real data beside the project";
  }
  static Json expected(const std::string& name) {
    return *Json::parse(read_file(shared_data() / "expected_numbers.json")).find(name)->find("value");
  }
  static std::vector<EvidenceRow> rows(const std::string& path) {
    return Evidence((shared_data() / path).string()).rows();
  }
};

TEST_F(ExpectedNumbers, PandaLmAnnotatorsAgree) {
  const Json value = expected("pandalm");
  const auto file = shared_data() / "judge/pandalm/testset-v1.json.gz";
  const std::vector<std::string> options = {"columns=[annotator1, annotator2, annotator3]", "item=idx", "resamples=0"};
  EXPECT_NEAR(at(run_on_file(file, "fleiss-kappa", options), "value"), at(value, "fleiss_kappa"), 1e-6);
  EXPECT_NEAR(at(run_on_file(file, "krippendorff-alpha", options), "value"), at(value, "krippendorff_alpha_nominal"),
              1e-6);
  const Json pairs = *run_on_file(file, "cohen-kappa", {options[0], options[1]}).find("pairs");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(at(pairs.items()[i], "kappa"), value.find("cohen_kappa_12_13_23")->items()[i].number(), 1e-6);
  }
}

TEST_F(ExpectedNumbers, XsTestAnnotatorsAgree) {
  const Json all = expected("xstest");
  for (const auto& [name, value] : all.members()) {
    const auto file = shared_data() / ("safety/xstest/xstest_v2_completions_" + name + "_gpteval.csv.gz");
    const Json page = run_on_file(file, "cohen-kappa", {"columns=[annotation_1, annotation_2]", "item=id"});
    EXPECT_NEAR(at(page, "value"), at(value, "human_cohen_kappa"), 1e-6) << name;
    double same = 0, judged = 0, n = 0;
    for (const EvidenceRow& row : rows("safety/xstest/xstest_v2_completions_" + name + "_gpteval.csv.gz")) {
      same += text_in(row, "annotation_1") == text_in(row, "annotation_2") ? 1 : 0;
      judged += text_in(row, "gpt4_label") == text_in(row, "final_label") ? 1 : 0;
      n += 1;
    }
    EXPECT_NEAR(same / n, at(value, "human_agreement"), 1e-6) << name;
    EXPECT_NEAR(judged / n, at(value, "gpt4_vs_final_accuracy"), 1e-6) << name;
  }
}

TEST_F(ExpectedNumbers, ArgumentsOfUkpConvArgAreDisputed) {
  const Json value = expected("ukpconvarg1");
  const auto file = shared_data() / "preference/ukpconvarg1/judgments.jsonl.gz";
  const std::vector<std::string> options = {"item=pair", "annotator=worker", "resamples=0"};
  const Json alpha = run_on_file(file, "krippendorff-alpha", options);
  EXPECT_NEAR(at(alpha, "value"), at(value, "krippendorff_alpha_nominal"), 1e-6);
  EXPECT_EQ(alpha.find("items")->integer(), value.find("pairs")->integer());
  EXPECT_EQ(alpha.find("annotators")->integer(), value.find("workers")->integer());
  EXPECT_EQ(alpha.find("ratings")->integer(), value.find("judgments")->integer());
}

TEST_F(ExpectedNumbers, MaceOnUkpConvArgFindsItsGoldLabels) {
  // The published gold labels are those of a MACE run of its authors; ours names the same label for nearly all of them.
  const auto file = shared_data() / "preference/ukpconvarg1/judgments.jsonl.gz";
  const Json page = run_on_file(file, "mace", {"item=pair", "annotator=worker"});
  std::map<std::string, std::string> labels;
  for (const Json& item : page.find("items")->items())
    labels[item.find("item")->string()] = item.find("label")->string();
  std::map<std::string, std::map<std::string, int>> counts;
  for (const EvidenceRow& row : rows("preference/ukpconvarg1/judgments.jsonl.gz")) {
    ++counts[text_in(row, "pair")][text_in(row, "value")];
  }
  double gold = 0, same = 0, majority = 0;
  for (const EvidenceRow& row : rows("preference/ukpconvarg1/pairs.jsonl.gz")) {
    const Json* label = row.value.find("goldLabel");
    if (label == nullptr || label->is_null()) continue;
    const std::string pair = text_in(row, "pair");
    gold += 1;
    same += labels[pair] == label->string() ? 1 : 0;
    int most = 0, ties = 0;
    for (const auto& [name, count] : counts[pair]) most = std::max(most, count);
    for (const auto& [name, count] : counts[pair]) ties += count == most ? 1 : 0;
    majority += ties == 1 && counts[pair][label->string()] == most ? 1 : 0;
  }
  EXPECT_NEAR(majority / gold, at(expected("ukpconvarg1"), "unique_majority_equals_mace_gold"), 1e-6);
  EXPECT_GT(same / gold, 0.9);
}

TEST_F(ExpectedNumbers, MultiPicoAnnotatorsDisagreeByLanguage) {
  std::map<std::string, std::vector<std::vector<double>>> units;
  for (const EvidenceRow& row : rows("annotators/multipico/MP_dev.json.gz")) {
    std::vector<double> unit;
    for (const auto& [annotator, label] : row.value.find("annotations")->members()) unit.push_back(*number_of(label));
    units[row.value.find("lang")->string()].push_back(unit);
    units["all"].push_back(unit);
  }
  const Json value = expected("multipico");
  EXPECT_EQ(units["all"].size(), static_cast<std::size_t>(value.find("items")->integer()));
  EXPECT_NEAR(krippendorff_alpha(units["all"], Metric::nominal), at(value, "krippendorff_alpha_nominal_all"), 1e-6);
  for (const auto& [language, alpha] : value.find("by_language")->members()) {
    EXPECT_NEAR(krippendorff_alpha(units[language], Metric::nominal), alpha.number(), 1e-6) << language;
  }
}

TEST_F(ExpectedNumbers, PrometheusGradesAgreeWithThemselves) {
  std::vector<std::vector<double>> runs(3);
  for (const EvidenceRow& row : rows("judge/prometheus/mt_bench_eval.json.gz")) {
    for (std::size_t i = 0; i < 3; ++i) runs[i].push_back(row.value.find("gpt4_score")->items()[i].number());
  }
  const Json value = expected("prometheus_mt_bench_eval");
  const auto& kappas = value.find("quadratic_weighted_kappa_runs_12_13_23")->items();
  EXPECT_NEAR(cohen_kappa(runs[0], runs[1], KappaWeights::quadratic), kappas[0].number(), 1e-6);
  EXPECT_NEAR(cohen_kappa(runs[0], runs[2], KappaWeights::quadratic), kappas[1].number(), 1e-6);
  EXPECT_NEAR(cohen_kappa(runs[1], runs[2], KappaWeights::quadratic), kappas[2].number(), 1e-6);
  EXPECT_NEAR(correlation(runs[0], runs[1]), at(value, "pearson_12"), 1e-6);
}

TEST_F(ExpectedNumbers, ArenaHardBattlesHaveTheirRatings) {
  const Json value = expected("arena_hard_battles_bradley_terry");
  const Json page =
      run_on_file(shared_data() / "arena/arena_hard_battles.jsonl.gz", "bradley-terry", {"base=0", "resamples=0"});
  for (const Json& row : page.find("ratings")->items()) {
    EXPECT_NEAR(at(row, "rating"), at(value, row.find("contestant")->string()), 1e-6);
  }
}

TEST_F(ExpectedNumbers, ArenaBenchScoresHaveTheirMeans) {
  std::map<std::string, std::pair<double, double>> sums;
  for (const EvidenceRow& row : rows("arena/arena-bench-v1.single_scores.csv.gz")) {
    const auto score = number_of(cell_of(row, "score"));
    if (!score) continue;
    sums[text_in(row, "model")].first += *score;
    sums[text_in(row, "model")].second += 1;
  }
  const Json all = expected("arena_bench_mean_scores");
  for (const auto& [model, value] : all.members()) {
    EXPECT_EQ(sums[model].second, at(value, "n")) << model;
    EXPECT_NEAR(sums[model].first / sums[model].second, at(value, "mean"), 1e-6) << model;
  }
}

TEST_F(ExpectedNumbers, BestOfEightIsBetweenARandomOneAndTheJudgesOwn) {
  std::map<std::string, std::vector<ScoredAnswer>> prompts;
  std::map<std::string, std::vector<double>> candidates;
  for (const EvidenceRow& row : rows("bon/preferences.csv.gz")) {
    const double won = won_of_preference(number_in(row, "preference"));
    prompts[text_in(row, "prompt_index")].push_back({won, won});
    candidates[text_in(row, "candidate")].push_back(won);
  }
  const Json value = expected("bon");
  for (const auto& [candidate, rate] : value.find("win_rate_by_candidate")->members()) {
    EXPECT_NEAR(100 * win_rate(candidates[candidate]).mean, rate.number(), 1e-6) << candidate;
  }
  double random = 0, oracle = 0;
  for (const auto& [prompt, answers] : prompts) {
    random += best_of_n_value(answers, 1) * 100 / static_cast<double>(prompts.size());
    oracle += best_of_n_value(answers, 8) * 100 / static_cast<double>(prompts.size());
  }
  EXPECT_NEAR(random, at(value, "random_of_8"), 1e-6);
  EXPECT_NEAR(oracle, at(value, "oracle_best_of_8"), 1e-6);
}

// AlpacaEval: preferences of one model with the difficulty of each instruction, and the rows that hold the slopes.
class AlpacaEval : public ExpectedNumbers {
 protected:
  void SetUp() override {
    ExpectedNumbers::SetUp();
    if (IsSkipped()) return;
    for (const EvidenceRow& row : rows("alpaca_eval/derived.df_gamed_recovered.csv.gz")) {
      const double difficulty = number_in(row, "instruction_difficulty");
      const auto index = static_cast<std::size_t>(number_in(row, "index"));
      if (difficulties_.size() <= index) difficulties_.resize(index + 1, 0);
      difficulties_[index] = difficulty;
      held_.push_back({.won = number_in(row, "preference"),
                       .length = std::tanh(number_in(row, "std_delta_len")),
                       .difficulty = difficulty,
                       .model = 0,
                       .weight = 0.1});
    }
    std::size_t place = 0;
    for (const EvidenceRow& row : rows("alpaca_eval/gpt4_1106_preview/model_outputs.json.gz")) {
      places_.try_emplace(text_in(row, "instruction"), place++);
    }
  }

  struct Judged {
    std::vector<double> won = {}, lengths = {}, by_instruction = {}, by_row = {};
  };
  Judged judged(const std::string& model) const {
    Judged result;
    for (const EvidenceRow& row : rows("alpaca_eval/" + model + "/annotations.json.gz")) {
      if (cell_of(row, "preference").is_null()) continue;
      result.won.push_back(won_of_preference(number_in(row, "preference")));
      result.lengths.push_back(characters(row, "output_1") - characters(row, "output_2"));
      result.by_instruction.push_back(difficulties_.at(places_.at(text_in(row, "instruction"))));
      result.by_row.push_back(difficulties_.at(result.by_row.size()));
    }
    return result;
  }

  double length_controlled_rate(const Judged& judged, const std::vector<double>& difficulties) const {
    const auto lengths = length_terms(judged.lengths);
    std::vector<LengthRow> table;
    for (std::size_t i = 0; i < judged.won.size(); ++i) {
      table.push_back({.won = judged.won[i], .length = lengths[i], .difficulty = difficulties[i]});
    }
    table.insert(table.end(), held_.begin(), held_.end());
    const LengthControlled result = length_controlled(table);
    EXPECT_TRUE(result.converged);
    return 100 * result.mean;
  }

 private:
  static double characters(const EvidenceRow& row, const char* column) {
    double count = 0;
    for (const char byte : text_in(row, column)) count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80 ? 1 : 0;
    return count;
  }

  std::vector<double> difficulties_;
  std::vector<LengthRow> held_;
  std::map<std::string, std::size_t> places_;
};

TEST_F(AlpacaEval, WinRatesAndLengthControlledOnesAreThePublished) {
  const Json all = expected("alpaca_eval");
  for (const auto& [model, value] : all.members()) {
    const Judged own = judged(model);
    const WinRate rate = win_rate(own.won);
    EXPECT_NEAR(100 * rate.mean, at(value, "win_rate_published"), 1e-9) << model;
    EXPECT_NEAR(100 * rate.standard_error, at(value, "standard_error_published"), 1e-9) << model;
    if (value.find("n_rows")->integer() != 805) continue;  // published with difficulties of other instructions
    EXPECT_NEAR(length_controlled_rate(own, own.by_instruction), at(value, "lc_published"), 0.1) << model;
  }
}

TEST_F(AlpacaEval, MissingRowsMoveDifficultiesUnlessJoinedByInstruction) {
  const Json value = *expected("alpaca_eval_misaligned").find("text_davinci_001");
  const Judged own = judged("text_davinci_001");
  EXPECT_NEAR(length_controlled_rate(own, own.by_instruction), at(value, "by_instruction"), 0.3);
  EXPECT_NEAR(length_controlled_rate(own, own.by_row), at(value, "by_row_position"), 0.3);
}

TEST_F(AlpacaEval, PublishedWeightsGiveThePublishedRates) {
  const Json all = expected("alpaca_eval");
  std::vector<double> difficulties;
  for (const auto& row : rows("alpaca_eval/derived.df_gamed_recovered.csv.gz")) {
    if (difficulties.size() < 805) difficulties.push_back(number_in(row, "instruction_difficulty"));
  }
  int compared = 0;
  std::size_t columns = 0;
  for (const EvidenceRow& row : rows("alpaca_eval/length_controlled_v1_weights.csv")) {
    const auto& members = row.value.members();
    columns = members.size();
    ASSERT_EQ(columns, 4u);
    const Json* model = all.find(members[0].second.string());
    if (model == nullptr || model->find("n_rows")->integer() != 805) continue;
    const auto slope = [&](std::size_t i) { return *number_of(members[i].second); };
    const LengthControlled result = length_controlled_at(difficulties, {slope(1), slope(2), slope(3)});
    EXPECT_NEAR(100 * result.mean, at(*model, "lc_published"), 0.025) << members[0].second.string();
    ++compared;
  }
  EXPECT_GE(compared, 9);
}

}  // namespace
}  // namespace attune
