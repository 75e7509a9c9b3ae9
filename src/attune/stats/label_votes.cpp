#include "attune/stats/label_votes.h"

#include <algorithm>

#include "attune/base/errors.h"

namespace attune {

LabelBeliefs vote_shares(const LabelVotes& votes) {
  const auto labels = static_cast<std::size_t>(votes.labels);
  LabelBeliefs beliefs(static_cast<std::size_t>(votes.items) * labels, 0);
  for (const LabelVote& vote : votes.votes) {
    require(vote.item >= 0 && vote.item < votes.items && vote.rater >= 0 && vote.rater < votes.raters &&
                vote.label >= 0 && vote.label < votes.labels,
            "a vote outside of its table");
    beliefs[static_cast<std::size_t>(vote.item) * labels + static_cast<std::size_t>(vote.label)] += 1;
  }
  for (std::size_t begin = 0; begin < beliefs.size(); begin += labels) {
    double sum = 0;
    for (std::size_t k = 0; k < labels; ++k) sum += beliefs[begin + k];
    for (std::size_t k = 0; k < labels; ++k) {
      beliefs[begin + k] = sum > 0 ? beliefs[begin + k] / sum : 1 / static_cast<double>(labels);
    }
  }
  return beliefs;
}

std::vector<std::int32_t> likeliest_labels(std::span<const double> beliefs, std::int32_t labels) {
  std::vector<std::int32_t> result;
  for (std::size_t begin = 0; begin < beliefs.size(); begin += static_cast<std::size_t>(labels)) {
    const auto own = beliefs.subspan(begin, static_cast<std::size_t>(labels));
    result.push_back(static_cast<std::int32_t>(std::max_element(own.begin(), own.end()) - own.begin()));
  }
  return result;
}

std::vector<std::int32_t> strict_majorities(const LabelVotes& votes) {
  const auto labels = static_cast<std::size_t>(votes.labels);
  std::vector<std::int32_t> counts(static_cast<std::size_t>(votes.items) * labels, 0), result;
  for (const LabelVote& vote : votes.votes) {
    ++counts[static_cast<std::size_t>(vote.item) * labels + static_cast<std::size_t>(vote.label)];
  }
  for (auto begin = counts.begin(); begin != counts.end(); begin += votes.labels) {
    const auto end = begin + votes.labels, top = std::max_element(begin, end);
    const bool alone = *top > 0 && std::count(begin, end, *top) == 1;
    result.push_back(alone ? static_cast<std::int32_t>(top - begin) : -1);
  }
  return result;
}

}  // namespace attune
