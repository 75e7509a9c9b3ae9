// What people said of whole answers, as one number each: scores and thumbs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/record.h"

namespace attune {

// Whether it is about a completion from end to end, not a step or a stretch of it.
bool on_whole_completion(const Feedback& feedback);

// Weighted means of what several people said of each completion of a record.
class CompletionMeans {
 public:
  explicit CompletionMeans(std::size_t completions)
      : sums_(completions, 0), weights_(completions, 0), counts_(completions, 0) {}
  void add(std::int32_t completion, double value, double weight);
  bool any() const { return any_; }
  bool has(std::size_t completion) const { return counts_[completion] > 0; }
  double sum(std::size_t completion) const { return sums_[completion]; }
  double mean(std::size_t completion) const;  // 0 where all weights are
  double weight(std::size_t completion) const { return weights_[completion]; }
  double count(std::size_t completion) const { return counts_[completion]; }

 private:
  std::vector<double> sums_, weights_, counts_;
  bool any_ = false;
};

// The attribute of ratings that mean a thumb: above 0 up, else down.
inline constexpr std::string_view thumb_attribute = "thumb";

// The attribute whose ratings are the completions' scores: the one asked for; else "score" where any rating is of that
// name; else the first one of the data. Empty when there are no ratings but thumbs. Throws ConfigError (at `field`)
// when the one asked for is not in the data.
std::string score_attribute(const Dataset& dataset, const std::string& asked = {},
                            const std::string& field = "data.attribute");

// Ratings of `attribute`. What a later feedback supersedes does not count, here and below.
CompletionMeans ratings_of(const Record& record, std::string_view attribute);
// The share of the ratings of `attribute` that round to `level`.
CompletionMeans rating_shares(const Record& record, std::string_view attribute, double level);
// The ratings themselves; without any, what rankings say: 0 for the best tier, -1 for the next, ...
CompletionMeans scores_of(const Record& record, std::string_view attribute);
// Thumbs, 1 up and -1 down.
CompletionMeans thumbs_of(const Record& record);

}  // namespace attune
