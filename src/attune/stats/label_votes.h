// Votes of annotators for the classes of items: what every model of annotators' skill is fitted to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace attune {

struct LabelVote {
  std::int32_t item = 0, rater = 0, label = 0;  // each from 0
};

struct LabelVotes {
  std::vector<LabelVote> votes = {};
  std::int32_t items = 0, raters = 0, labels = 0;
};

// Probabilities of each item's label, item by item: items x labels numbers.
using LabelBeliefs = std::vector<double>;

// The shares of the votes; equal for items without any.
LabelBeliefs vote_shares(const LabelVotes& votes);

// Each item's likeliest label; of equal ones the lowest.
std::vector<std::int32_t> likeliest_labels(std::span<const double> beliefs, std::int32_t labels);

// The label with the most votes, or -1 where several share the most or nobody voted.
std::vector<std::int32_t> strict_majorities(const LabelVotes& votes);

struct ExpectationOptions {
  int most_iterations = 500;
  double tolerance = 1e-9;  // of the mean log-likelihood's rise a vote
};

}  // namespace attune
