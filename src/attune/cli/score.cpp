// attune score --verifier: what a program says of each completion. Reward models are scored in the torch half.
#include <cmath>

#include "attune/cli/answer.h"
#include "attune/cli/part_options.h"
#include "attune/cli/verbs.h"
#include "attune/data/read.h"
#include "attune/verifiers/verifier.h"

namespace attune {
namespace {

struct VerifiedRow {
  std::string record = {};
  std::size_t completion = 0;
  Verification verification = {};
};

std::vector<VerifiedRow> verified(const Verifier& verifier, const Dataset& dataset) {
  std::vector<VerifiedRow> rows;
  for (std::size_t r = 0; r < dataset.records.size(); ++r) {
    const Record& record = dataset.records[r];
    const std::string address = record.id.empty() ? std::to_string(r) : record.id;
    for (std::size_t c = 0; c < record.completions.size(); ++c) {
      const std::string prompt = prompt_text(record, record.completions[c]);
      const std::string answer = completion_text(record, record.completions[c]);
      rows.push_back(
          {address, c,
           verifier.verify({.record = address, .prompt = prompt, .answer = answer, .reference = record.answer})});
    }
  }
  return rows;
}

// (score - mean) / deviation over rows [begin, end); 0 where all are equal.
void standardise(std::vector<VerifiedRow>& rows, std::size_t begin, std::size_t end) {
  const auto count = static_cast<double>(end - begin);
  double mean = 0, squares = 0;
  for (std::size_t i = begin; i < end; ++i) mean += rows[i].verification.score / count;
  for (std::size_t i = begin; i < end; ++i) squares += std::pow(rows[i].verification.score - mean, 2);
  const double deviation = std::sqrt(squares / count);
  for (std::size_t i = begin; i < end; ++i) {
    double& score = rows[i].verification.score;
    score = deviation > 1e-12 ? (score - mean) / deviation : 0;
  }
}

void standardise(std::vector<VerifiedRow>& rows, const std::string& over) {
  if (over == "data") return standardise(rows, 0, rows.size());
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    while (end < rows.size() && rows[end].record == rows[begin].record) ++end;
    standardise(rows, begin, end);
    begin = end;
  }
}

int score_by_verifier(const std::string& name, Arguments& arguments) {
  Choice<Verifier> verifier = part_named<Verifier>(arguments, name);
  const std::string data = arguments.required("--data");
  const std::string over = arguments.option("--standardise").value_or("none");
  if (over != "none" && over != "record" && over != "data")
    arguments.fail("--standardise " + over, "none, record or data");
  Answer answer(arguments.option("--out"));
  ConfigNode root{.kind = ConfigNode::Kind::map, .file = "command line"};
  for (const std::string& word : arguments.rest(0, 1'000, "key=value options")) {
    if (!is_assignment(word)) arguments.fail("the word '" + word + "'", "key=value options");
    apply_override(root, word);
  }
  read_options(verifier, root);
  verifier->prepare();
  const ReadResult read = read_dataset({{.path = data}});
  std::vector<VerifiedRow> rows;
  try {
    rows = verified(*verifier, read.dataset);
  } catch (const DataError& error) {
    Problem problem = error.problem();
    if (problem.where.file.empty()) problem.where.file = data;
    throw DataError(std::move(problem));
  }
  if (rows.empty()) throw DataError({.file = data}, "no completion", "answers to verify");
  if (over != "none") standardise(rows, over);
  for (const VerifiedRow& row : rows) {
    answer.row(Json::object({{"record", row.record},
                             {"completion", row.completion},
                             {"score", row.verification.score},
                             {"reason", row.verification.reason}}));
  }
  answer.finish();
  return 0;
}

}  // namespace

int run_score_here(Arguments& arguments) {
  const auto verifier = arguments.option("--verifier");
  return verifier ? score_by_verifier(*verifier, arguments) : run_in_torch_half("score", arguments);
}

}  // namespace attune
