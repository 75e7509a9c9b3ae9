// What somebody said of the answers of preference data, joined by record and completion: scores of a reward model, or
// verdicts of a judge on two answers, in one or both orders.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "attune/evals/eval.h"

namespace attune {

// How a record is named in files beside the data: its id, else its row number.
std::string record_address(const Dataset& dataset, std::size_t record);
// An unknown column of the record's row ("subset", "domain", ...) as text; nothing where it has none.
std::optional<std::string> column_of(const Record& record, const std::string& column);

// Records by address. Throws DataError for an address that two records have.
class RecordIndex {
 public:
  explicit RecordIndex(const Evidence& data);
  // The record a row names in its column `record`; nothing where the data has no such record, which is noted.
  std::optional<std::size_t> find(const EvidenceRow& row, const std::string& column = "record");
  // Adds what was noted. Throws DataError where no row was of the data at all.
  void report(const std::string& file, EvalResult& result) const;

 private:
  std::string data_;
  std::unordered_map<std::string, std::size_t> places_;
  std::vector<std::string> foreign_;  // each once
  std::unordered_map<std::string, bool> seen_;
  std::size_t found_ = 0;
};

// Scores of completions. A second score of the same completion must be equal (then it is noted as a duplicate), else
// DataError; so is a completion that the record does not have.
class JoinedScores {
 public:
  JoinedScores(const Evidence& data, const std::string& file, const std::string& column = "score");
  bool has(std::size_t record, std::size_t completion) const;
  bool has_all(std::size_t record) const;
  double at(std::size_t record, std::size_t completion) const { return scores_[record][completion]; }
  const std::vector<double>& of(std::size_t record) const { return scores_[record]; }
  void report(EvalResult& result) const;

 private:
  std::string file_;
  RecordIndex index_;
  std::vector<std::vector<double>> scores_;
  std::vector<std::string> duplicates_;
};

// Who wins between two answers of one record.
class Opinions {
 public:
  // From the input's scores or verdicts, whichever is given. Throws UsageError where neither or both are.
  explicit Opinions(const EvalInput& input);

  // One entry an order in which it was asked: 1 where `a` wins, 0 where `b` does, 0.5 for a tie. Empty: nobody said.
  // Scores know no order and give one entry.
  std::vector<double> said(std::size_t record, std::int32_t a, std::int32_t b) const;
  bool by_scores() const { return scores_.has_value(); }
  void report(EvalResult& result) const;

 private:
  struct Verdict {
    std::int32_t a = 0, b = 0;
    double share = 0;
    std::string order = {};
  };
  void read_verdicts(const Evidence& data, const std::string& file);

  std::optional<JoinedScores> scores_;
  std::string file_;
  std::optional<RecordIndex> index_;
  std::vector<std::vector<Verdict>> verdicts_;
};

// 1 above 1/2, 0 below, `tie` at 1/2.
double decided(double share, double tie);

}  // namespace attune
