// What people said of a record's completions, as the numbers that objectives learn from.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "attune/data/scores.h"
#include "attune/policy/layout.h"
#include "attune/policy/needs.h"

namespace attune {

struct FeedbackLabels {
  std::vector<CompletionLabels> labels = {};  // of each completion; empty when nobody said anything
  std::vector<std::int8_t> thumbs = {};       // of each completion, 1 up, -1 down, 0 none; empty when there are none
};

// What is about whole completions; what a later feedback supersedes does not count.
// - Score: the mean of scores_of(record, attribute), weighted by the feedback's weights.
// - Thumb: what more people say, by weight; 0 where they are even.
// - Weight: the mean weight of what made score and thumb.
// - Behaviour log-probability: a signal "logp". Level: a label "degree", where it is a number.
FeedbackLabels feedback_labels(const Record& record, std::string_view attribute);

// The columns of each completion, NaN where nobody rated it; a rating stands at the level that it rounds to. Empty when
// no columns are asked for.
std::vector<std::vector<double>> label_columns(const Record& record, std::span<const LabelColumn> columns);

// The same preference, the other way round.
void turn(RecordView::Preference& preference);

// RecordView::ballots. A preference of strength 2 or more is clear, a smaller one slight; both_good and both_bad are
// ties. A vote counts as much as its feedback weighs. The weight of a ballot is the mean one of its votes.
std::vector<RecordView::Preference> ballots(const Record& record);

// What all annotators said of the two completions of one preference, as seen from its chosen one.
std::array<double, vote_kinds> votes_on(const RecordView::Preference& preference,
                                        std::span<const RecordView::Preference> ballots);

}  // namespace attune
