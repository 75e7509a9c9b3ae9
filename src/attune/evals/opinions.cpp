#include "attune/evals/opinions.h"

#include <cmath>

#include "attune/base/errors.h"

namespace attune {
namespace {

std::int32_t completion_in(const EvidenceRow& row, const std::string& column, std::size_t completions) {
  const double number = number_in(row, column);
  if (number >= 0 && number < static_cast<double>(completions) && number == std::floor(number)) {
    return static_cast<std::int32_t>(number);
  }
  refuse_cell(row, column, "a completion that the record does not have",
              completions == 0 ? "none: it has no completions" : "0 to " + std::to_string(completions - 1));
}

// p_a, or a tie; a judge that names a winner only says p_a 1 or 0.
double share_in(const EvidenceRow& row) {
  if (const Json* tie = row.value.find("tie"); tie != nullptr && tie->is_bool() && tie->boolean()) return 0.5;
  const double share = number_in(row, "p_a");
  if (share >= 0 && share <= 1) return share;
  refuse_cell(row, "p_a", "a probability outside of [0, 1]", "one inside");
}

}  // namespace

std::string record_address(const Dataset& dataset, std::size_t record) {
  const std::string& id = dataset.records[record].id;
  return id.empty() ? std::to_string(record) : id;
}

std::optional<std::string> column_of(const Record& record, const std::string& column) {
  if (record.extra_json.empty()) return std::nullopt;
  const Json extra = Json::parse(record.extra_json);
  const Json* cell = extra.find(column);
  if (cell == nullptr || cell->is_null()) return std::nullopt;
  return text_of(*cell);
}

RecordIndex::RecordIndex(const Evidence& data) : data_(data.path()) {
  const Dataset& dataset = data.dataset();
  for (std::size_t r = 0; r < dataset.records.size(); ++r) {
    const std::string address = record_address(dataset, r);
    if (places_.try_emplace(address, r).second) continue;
    throw DataError({.file = data_, .record = address}, "an id that two records have",
                    "ids that tell records apart, to join by");
  }
}

std::optional<std::size_t> RecordIndex::find(const EvidenceRow& row, const std::string& column) {
  const std::string address = text_in(row, column);
  const auto place = places_.find(address);
  if (place == places_.end()) {
    if (seen_.try_emplace(address, true).second) foreign_.push_back(address);
    return std::nullopt;
  }
  ++found_;
  return place->second;
}

void RecordIndex::report(const std::string& file, EvalResult& result) const {
  if (found_ == 0) {
    throw DataError({.file = file}, "rows of other records only (" + std::to_string(foreign_.size()) + ")",
                    "rows of records of " + data_, "score the same data");
  }
  for (const std::string& address : foreign_) result.leave_out("records that the data does not have", address);
}

JoinedScores::JoinedScores(const Evidence& data, const std::string& file, const std::string& column)
    : file_(file), index_(data) {
  for (const Record& record : data.dataset().records) scores_.emplace_back(record.completions.size(), NAN);
  const Evidence evidence{file};
  for (const EvidenceRow& row : evidence.rows()) {
    const auto record = index_.find(row);
    if (!record) continue;
    auto& own = scores_[*record];
    const auto completion = static_cast<std::size_t>(completion_in(row, "completion", own.size()));
    const double score = number_in(row, column);
    if (!std::isnan(own[completion])) {
      if (own[completion] != score) {
        refuse_cell(row, column, "another score of a completion that has one", "one score a completion");
      }
      duplicates_.push_back(text_in(row, "record") + " / " + std::to_string(completion));
    }
    own[completion] = score;
  }
}

bool JoinedScores::has(std::size_t record, std::size_t completion) const {
  return completion < scores_[record].size() && !std::isnan(scores_[record][completion]);
}

bool JoinedScores::has_all(std::size_t record) const {
  for (const double score : scores_[record]) {
    if (std::isnan(score)) return false;
  }
  return true;
}

void JoinedScores::report(EvalResult& result) const {
  index_.report(file_, result);
  for (const std::string& one : duplicates_) result.leave_out("scores that say again what another row says", one);
}

Opinions::Opinions(const EvalInput& input) {
  if (input.scores.empty() == input.verdicts.empty()) {
    throw UsageError({}, input.scores.empty() ? "neither --scores nor --verdicts" : "both --scores and --verdicts",
                     "one of them");
  }
  if (!input.scores.empty()) {
    scores_.emplace(input.data, input.scores);
  } else {
    read_verdicts(input.data, input.verdicts);
  }
}

void Opinions::read_verdicts(const Evidence& data, const std::string& file) {
  file_ = file;
  index_.emplace(data);
  const auto& records = data.dataset().records;
  verdicts_.resize(records.size());
  const Evidence evidence{file};
  for (const EvidenceRow& row : evidence.rows()) {
    const auto record = index_->find(row);
    if (!record) continue;
    const std::size_t completions = records[*record].completions.size();
    Verdict verdict{.a = completion_in(row, "a", completions), .b = completion_in(row, "b", completions)};
    if (verdict.a == verdict.b) refuse_cell(row, "b", "an answer against itself", "two answers");
    verdict.share = share_in(row);
    if (const Json* order = row.value.find("order"); order != nullptr && !order->is_null()) {
      verdict.order = text_of(*order);
    }
    for (const Verdict& known : verdicts_[*record]) {
      if (known.a == verdict.a && known.b == verdict.b && known.order == verdict.order) {
        refuse_cell(row, "order", "a second verdict on the same answers in the same order", "one an order");
      }
    }
    verdicts_[*record].push_back(std::move(verdict));
  }
}

std::vector<double> Opinions::said(std::size_t record, std::int32_t a, std::int32_t b) const {
  if (scores_) {
    const auto first = static_cast<std::size_t>(a), second = static_cast<std::size_t>(b);
    if (!scores_->has(record, first) || !scores_->has(record, second)) return {};
    const double left = scores_->at(record, first), right = scores_->at(record, second);
    return {left > right ? 1.0 : left < right ? 0.0 : 0.5};
  }
  std::vector<double> result;
  for (const Verdict& verdict : verdicts_[record]) {
    const double share = decided(verdict.share, 0.5);
    if (verdict.a == a && verdict.b == b) result.push_back(share);
    if (verdict.a == b && verdict.b == a) result.push_back(1 - share);
  }
  return result;
}

void Opinions::report(EvalResult& result) const {
  if (scores_) {
    scores_->report(result);
  } else {
    index_->report(file_, result);
  }
}

double decided(double share, double tie) { return share > 0.5 ? 1 : share < 0.5 ? 0 : tie; }

}  // namespace attune
