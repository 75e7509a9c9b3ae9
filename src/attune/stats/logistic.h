// Logistic regression on sparse features: who is of which of two kinds, and how surely.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace attune {

// Rows of features in compressed form: only those that are not 0.
class SparseRows {
 public:
  using Entry = std::pair<std::uint32_t, double>;  // column, value
  void add(std::span<const Entry> row);
  std::size_t size() const { return begins_.size() - 1; }
  std::size_t width() const { return width_; }  // largest column so far, plus 1
  std::span<const Entry> operator[](std::size_t row) const {
    return std::span(entries_).subspan(begins_[row], begins_[row + 1] - begins_[row]);
  }

 private:
  std::vector<Entry> entries_;
  std::vector<std::size_t> begins_ = {0};
  std::size_t width_ = 0;
};

struct LogisticOptions {
  double l2 = 1;  // of the penalty l2 / 2 |w|^2 beside the sum over rows; the intercept is free
  bool intercept = true;
  bool balanced = false;  // rows weigh size / (2 rows of their kind), so that both kinds weigh the same
  int most_iterations = 500;
  double tolerance = 1e-8;  // of the gradient's largest entry, relative to the number of rows
};

struct LogisticModel {
  std::vector<double> weights = {};
  double intercept = 0;
  int iterations = 0;
  bool converged = false;
  // log p / (1 - p) of being of the kind labelled 1. Columns that the fit never saw count nothing.
  double log_odds(std::span<const SparseRows::Entry> row) const;
};

// The maximum of the penalised likelihood, which is unique for l2 above 0. `labels`: 0 or 1, both present. Throws
// InternalError where sizes differ or a kind is missing.
LogisticModel fit_logistic(const SparseRows& rows, std::span<const std::uint8_t> labels,
                           const LogisticOptions& options = {});

// The same for targets that are shares in [0, 1], each row with a weight of its own (`balanced` does not apply).
LogisticModel fit_soft_logistic(const SparseRows& rows, std::span<const double> targets,
                                std::span<const double> weights, const LogisticOptions& options = {});

}  // namespace attune
