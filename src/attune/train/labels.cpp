#include "attune/train/labels.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "attune/objectives/reward.h"

namespace attune {
namespace {

// -1 where it is not a number.
std::int32_t degree_of(const std::string& text) {
  std::int32_t degree = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), degree);
  return error == std::errc() && end == text.data() + text.size() ? degree : -1;
}

constexpr double clear_strength = 2;

double source_of(const Record& record, const Completion& completion) {
  return completion.last >= 0 ? record.nodes[static_cast<std::size_t>(completion.last)].source : -1;
}

bool is_whole(const Target& target) {
  return target.completion >= 0 && target.step < 0 && target.begin < 0 && target.end < 0;
}

// What a comparison says of its a; none where it says nothing.
std::optional<PairVote> vote_of(const Comparison& comparison) {
  switch (comparison.outcome) {
    case Outcome::tie:
    case Outcome::both_good:
    case Outcome::both_bad:
      return PairVote::tie;
    case Outcome::incomparable:
    case Outcome::unsure:
      return std::nullopt;
    default:
      break;
  }
  const bool wins = comparison.outcome == Outcome::a;
  if (!comparison.strength) return wins ? PairVote::chosen : PairVote::rejected;
  if (*comparison.strength >= clear_strength) return wins ? PairVote::chosen_clearly : PairVote::rejected_clearly;
  return wins ? PairVote::chosen_slightly : PairVote::rejected_slightly;
}

PairVote turned(PairVote vote) {
  switch (vote) {
    case PairVote::rejected_clearly:
      return PairVote::chosen_clearly;
    case PairVote::rejected_slightly:
      return PairVote::chosen_slightly;
    case PairVote::chosen_slightly:
      return PairVote::rejected_slightly;
    case PairVote::chosen_clearly:
      return PairVote::rejected_clearly;
    case PairVote::rejected:
      return PairVote::chosen;
    case PairVote::chosen:
      return PairVote::rejected;
    case PairVote::tie:
      break;
  }
  return PairVote::tie;
}

// The votes on two completions, as if the first were the chosen one.
struct Tally {
  std::array<double, vote_kinds> votes = {};
  double strength = 0, cast = 0, weight = 0;  // sums: of signed strengths, of votes, of what they weigh
  void add(PairVote vote, double signed_strength, double weighs) {
    votes[static_cast<std::size_t>(vote)] += weighs;
    strength += signed_strength * weighs;
    cast += 1;
    weight += weighs;
  }
  double share() const {  // of the votes for the first
    const auto of = [&](PairVote vote) { return votes[static_cast<std::size_t>(vote)]; };
    return (of(PairVote::chosen) + of(PairVote::chosen_slightly) + of(PairVote::chosen_clearly) +
            0.5 * of(PairVote::tie)) /
           weight;
  }
};

RecordView::Preference ballot_of(const std::pair<std::int32_t, std::int32_t>& completions, const Tally& tally) {
  const double share = tally.share(), margin = tally.strength / tally.weight;
  RecordView::Preference ballot{.chosen = completions.first,
                                .rejected = completions.second,
                                .margin = margin,
                                .weight = tally.weight / tally.cast,
                                .probability = share,
                                .votes = tally.votes};
  if (share < 0.5) turn(ballot);
  return ballot;
}

}  // namespace

void turn(RecordView::Preference& preference) {
  std::swap(preference.chosen, preference.rejected);
  preference.margin = -preference.margin;
  preference.probability = 1 - preference.probability;
  const auto votes = preference.votes;
  for (std::size_t i = 0; i < vote_kinds; ++i) {
    preference.votes[static_cast<std::size_t>(turned(static_cast<PairVote>(i)))] = votes[i];
  }
}

std::vector<RecordView::Preference> ballots(const Record& record) {
  std::map<std::pair<std::int32_t, std::int32_t>, Tally> tallies;
  const auto obsolete = superseded(record);
  for (std::size_t i = 0; i < record.feedback.size(); ++i) {
    const Feedback& feedback = record.feedback[i];
    const auto* comparison = std::get_if<Comparison>(&feedback.what);
    if (comparison == nullptr || obsolete[i] || !is_whole(comparison->a) || !is_whole(comparison->b)) continue;
    const auto vote = vote_of(*comparison);
    if (!vote || feedback.weight <= 0) continue;
    const std::int32_t a = comparison->a.completion, b = comparison->b.completion;
    const double strength = *vote == PairVote::tie              ? 0
                            : comparison->outcome == Outcome::a ? comparison->strength.value_or(0)
                                                                : -comparison->strength.value_or(0);
    Tally& tally = tallies[std::minmax(a, b)];
    tally.add(a < b ? *vote : turned(*vote), a < b ? strength : -strength, feedback.weight);
  }
  std::vector<RecordView::Preference> result;
  for (const auto& [completions, tally] : tallies) result.push_back(ballot_of(completions, tally));
  return result;
}

std::array<double, vote_kinds> votes_on(const RecordView::Preference& preference,
                                        std::span<const RecordView::Preference> ballots) {
  for (RecordView::Preference ballot : ballots) {
    if (ballot.chosen != preference.chosen) turn(ballot);
    if (ballot.chosen == preference.chosen && ballot.rejected == preference.rejected) return ballot.votes;
  }
  return {};
}

std::vector<std::vector<double>> label_columns(const Record& record, std::span<const LabelColumn> columns) {
  if (columns.empty()) return {};
  const std::size_t completions = record.completions.size();
  std::vector<std::vector<double>> result(completions);
  for (const LabelColumn& column : columns) {
    if (column.attribute == objectives::source_column) {
      for (std::size_t i = 0; i < completions; ++i) result[i].push_back(source_of(record, record.completions[i]));
      continue;
    }
    const CompletionMeans means =
        column.level ? rating_shares(record, column.attribute, *column.level) : ratings_of(record, column.attribute);
    for (std::size_t i = 0; i < completions; ++i) {
      result[i].push_back(means.has(i) ? means.mean(i) : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return result;
}

FeedbackLabels feedback_labels(const Record& record, std::string_view attribute) {
  const std::size_t completions = record.completions.size();
  FeedbackLabels result;
  const auto labels = [&](std::int32_t completion) -> CompletionLabels& {
    result.labels.resize(completions);
    return result.labels[static_cast<std::size_t>(completion)];
  };
  const auto obsolete = superseded(record);
  for (std::size_t i = 0; i < record.feedback.size(); ++i) {
    const Feedback& feedback = record.feedback[i];
    if (obsolete[i] || !on_whole_completion(feedback)) continue;
    const std::int32_t completion = feedback.on.completion;
    if (const auto* signal = std::get_if<Signal>(&feedback.what); signal != nullptr && signal->kind == "logp") {
      labels(completion).behaviour_logp = signal->value;
    } else if (const auto* label = std::get_if<Label>(&feedback.what); label != nullptr && label->name == "degree") {
      labels(completion).level = degree_of(label->value);
    }
  }
  const CompletionMeans scores = scores_of(record, attribute), thumbs = thumbs_of(record);
  if (thumbs.any()) result.thumbs.resize(completions, 0);
  for (std::size_t i = 0; i < completions; ++i) {
    if (thumbs.has(i)) result.thumbs[i] = static_cast<std::int8_t>((thumbs.sum(i) > 0) - (thumbs.sum(i) < 0));
    const double count = scores.count(i) + thumbs.count(i);
    if (count == 0) continue;
    CompletionLabels& label = labels(static_cast<std::int32_t>(i));
    if (scores.has(i)) label.score = scores.mean(i);
    label.weight = (scores.weight(i) + thumbs.weight(i)) / count;
  }
  return result;
}

}  // namespace attune
