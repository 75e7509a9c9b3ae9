// What people said of a record's completions, as the numbers that objectives learn from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/record.h"
#include "attune/policy/batch.h"

namespace attune {

// The attribute whose ratings are the completions' scores: the one asked for; else "score" where any rating is of that
// name; else the first one of the data. Empty when there are no ratings but thumbs. Throws ConfigError (field
// data.attribute) when the one asked for is not in the data.
std::string score_attribute(const Dataset& dataset, const std::string& asked = {});

struct FeedbackLabels {
  std::vector<CompletionLabels> labels = {};  // of each completion; empty when nobody said anything
  std::vector<std::int8_t> thumbs = {};       // of each completion, 1 up, -1 down, 0 none; empty when there are none
};

// Ratings of whole completions; what a later feedback supersedes does not count.
// - Score: the mean of the ratings of `attribute`, weighted by the feedback's weights. Without any, what rankings
//   say: 0 for the best tier, -1 for the next, ..., the mean of several rankings.
// - Thumb: what more people say, by weight; 0 where they are even.
// - Weight: the mean weight of what made score and thumb.
// - Behaviour log-probability: a signal "logp". Level: a label "degree", where it is a number.
FeedbackLabels feedback_labels(const Record& record, std::string_view attribute);

}  // namespace attune
