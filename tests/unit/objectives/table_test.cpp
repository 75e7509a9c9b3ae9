// Runs the text cases of tests/tables/objectives and what tests/parity recorded in the same form: log-probabilities in,
// loss and gradient out. A new case needs no compile. A case is pairs (chosen, rejected, ...), or records of answers
// with thumbs, scores, probes (see tests/support/answers.h).
#include <ATen/ops/allclose.h>
#include <gtest/gtest.h>

#include "attune/config/read.h"
#include "support/answers.h"
#include "support/pairs.h"

namespace attune {
namespace {

struct Metric {
  std::string name = {};
  double value = 0;
  void describe(Fields& fields) {
    fields("name", name, "").required();
    fields("value", value, "").required();
  }
};

struct Case {
  std::string name = {};
  ObjectiveList objective = {};
  std::vector<double> chosen, rejected, chosen_reference, rejected_reference;
  std::vector<std::int64_t> chosen_tokens, rejected_tokens;
  std::vector<double> margins, probabilities, chosen_scores, rejected_scores;
  double fraction = 0;  // of the run
  double loss = 0;
  double tolerance = 1e-9;
  std::vector<double> chosen_gradient, rejected_gradient;  // empty: not compared
  std::vector<testing::AnswerRecord> records = {};         // instead of pairs
  std::vector<Metric> metrics = {};                        // those to compare

  void describe(Fields& fields) {
    fields("name", name, "").required();
    fields("objective", objective, "").required();
    fields("chosen", chosen, "");
    fields("rejected", rejected, "");
    fields("chosen_reference", chosen_reference, "");
    fields("rejected_reference", rejected_reference, "");
    fields("chosen_tokens", chosen_tokens, "");
    fields("rejected_tokens", rejected_tokens, "");
    fields("margins", margins, "");
    fields("probabilities", probabilities, "");
    fields("chosen_scores", chosen_scores, "");
    fields("rejected_scores", rejected_scores, "");
    fields("fraction", fraction, "");
    fields("loss", loss, "").required();
    fields("tolerance", tolerance, "");
    fields("chosen_gradient", chosen_gradient, "");
    fields("rejected_gradient", rejected_gradient, "");
    fields("records", records, "");
    fields("metrics", metrics, "");
  }
};

struct Table {
  std::vector<Case> cases = {};
  void describe(Fields& fields) { fields("cases", cases, "").required(); }
};

std::map<std::string, double> run_pairs(const Case& one) {
  const testing::PairTable pairs{.chosen = one.chosen,
                                 .rejected = one.rejected,
                                 .chosen_reference = one.chosen_reference,
                                 .rejected_reference = one.rejected_reference,
                                 .chosen_tokens = one.chosen_tokens,
                                 .rejected_tokens = one.rejected_tokens,
                                 .margins = one.margins,
                                 .probabilities = one.probabilities,
                                 .chosen_scores = one.chosen_scores,
                                 .rejected_scores = one.rejected_scores,
                                 .fraction = one.fraction};
  const auto step = pairs.step(one.objective);
  EXPECT_NEAR(step.loss, one.loss, one.tolerance);
  const auto compare = [&](const std::vector<double>& expected, std::int64_t row) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(step.gradient[row][static_cast<std::int64_t>(i)].item<double>(), expected[i], one.tolerance);
    }
  };
  compare(one.chosen_gradient, 0);
  compare(one.rejected_gradient, 1);
  return step.metrics;
}

std::map<std::string, double> run_records(const Case& one) {
  const testing::AnswerTable table(one.records);
  const auto step = table.step(one.objective);
  EXPECT_NEAR(step.loss, one.loss, one.tolerance);
  std::int64_t at = 0, place = 0;
  for (const testing::Answer* answer : table.answers()) {
    for (std::size_t i = 0; i < answer->gradient.size(); ++i) {
      const Tensor gradient = step.gradient[at + static_cast<std::int64_t>(i)];
      EXPECT_NEAR(gradient.item<double>(), answer->gradient[i], one.tolerance) << "answer " << place;
    }
    if (answer->value_gradient) {
      EXPECT_NEAR(step.value_gradient[place].item<double>(), *answer->value_gradient, one.tolerance);
    }
    at += std::ssize(answer->logp);
    ++place;
  }
  EXPECT_FALSE(step.probe_gradient.defined() && step.probe_gradient.any().item<bool>()) << "a probe has a gradient";
  return step.metrics;
}

void run(const Case& one) {
  const auto metrics = one.records.empty() ? run_pairs(one) : run_records(one);
  for (const Metric& metric : one.metrics) {
    const auto found = metrics.find(metric.name);
    ASSERT_NE(found, metrics.end()) << metric.name;
    EXPECT_NEAR(found->second, metric.value, one.tolerance) << metric.name;
  }
}

std::size_t run_folder(const Path& folder) {
  std::size_t count = 0;
  for (const auto& file : list_directory(folder)) {
    Table table;
    read_config(read_yaml(folder / file), table);
    for (const Case& one : table.cases) {
      SCOPED_TRACE(file + ": " + one.name);
      run(one);
      ++count;
    }
  }
  return count;
}

TEST(ObjectiveTables, EveryCaseGivesItsLossAndGradient) {
  EXPECT_GE(run_folder(Path(ATTUNE_SOURCE_DIR) / "tests/tables/objectives"), 5u);
}

TEST(ObjectiveTables, EveryRecordedCaseOfTheFieldsOwnCodeGivesItsLossAndGradient) {
  EXPECT_GE(run_folder(Path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded/tables"), 7u);
}

}  // namespace
}  // namespace attune
