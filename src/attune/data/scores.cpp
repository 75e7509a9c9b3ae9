#include "attune/data/scores.h"

#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"

namespace attune {
namespace {

void add_ranking(const Ranking& ranking, double weight, CompletionMeans& scores) {
  for (std::size_t tier = 0; tier < ranking.tiers.size(); ++tier) {
    for (const Target& target : ranking.tiers[tier]) {
      if (target.completion >= 0) scores.add(target.completion, -static_cast<double>(tier), weight);
    }
  }
}

// The means of value_of(rating) over the ratings of whole completions that count.
template <class ValueOf>
CompletionMeans means_of(const Record& record, std::string_view attribute, const ValueOf& value_of) {
  CompletionMeans means(record.completions.size());
  const auto obsolete = superseded(record);
  for (std::size_t i = 0; i < record.feedback.size(); ++i) {
    const Feedback& feedback = record.feedback[i];
    const auto* rating = std::get_if<Rating>(&feedback.what);
    if (rating == nullptr || obsolete[i] || rating->attribute != attribute || !on_whole_completion(feedback)) continue;
    means.add(feedback.on.completion, value_of(rating->value), feedback.weight);
  }
  return means;
}

}  // namespace

bool on_whole_completion(const Feedback& feedback) {
  return feedback.on.completion >= 0 && feedback.on.step < 0 && feedback.on.begin < 0;
}

void CompletionMeans::add(std::int32_t completion, double value, double weight) {
  const auto at = static_cast<std::size_t>(completion);
  sums_[at] += weight * value;
  weights_[at] += weight;
  counts_[at] += 1;
  any_ = true;
}

double CompletionMeans::mean(std::size_t completion) const {
  return weights_[completion] == 0 ? 0 : sums_[completion] / weights_[completion];
}

std::string score_attribute(const Dataset& dataset, const std::string& asked, const std::string& field) {
  std::vector<std::string> names;
  for (const Record& record : dataset.records) {
    for (const Feedback& feedback : record.feedback) {
      const auto* rating = std::get_if<Rating>(&feedback.what);
      if (rating == nullptr || rating->attribute == thumb_attribute || !on_whole_completion(feedback)) continue;
      if (std::find(names.begin(), names.end(), rating->attribute) == names.end()) names.push_back(rating->attribute);
    }
  }
  const std::string wanted = asked.empty() ? "score" : asked;
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
  if (asked.empty()) return names.empty() ? "" : names.front();
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw ConfigError({.field = field}, "no rating of that name in the data",
                    known.empty() ? "data with ratings" : "one of " + known);
}

CompletionMeans ratings_of(const Record& record, std::string_view attribute) {
  return means_of(record, attribute, [](double value) { return value; });
}

CompletionMeans rating_shares(const Record& record, std::string_view attribute, double level) {
  return means_of(record, attribute, [level](double value) { return std::round(value) == level ? 1.0 : 0.0; });
}

CompletionMeans scores_of(const Record& record, std::string_view attribute) {
  CompletionMeans ratings = ratings_of(record, attribute);
  if (ratings.any()) return ratings;
  CompletionMeans rankings(record.completions.size());
  const auto obsolete = superseded(record);
  for (std::size_t i = 0; i < record.feedback.size(); ++i) {
    const auto* ranking = std::get_if<Ranking>(&record.feedback[i].what);
    if (ranking != nullptr && !obsolete[i]) add_ranking(*ranking, record.feedback[i].weight, rankings);
  }
  return rankings;
}

CompletionMeans thumbs_of(const Record& record) {
  return means_of(record, thumb_attribute, [](double value) { return value > 0 ? 1.0 : -1.0; });
}

}  // namespace attune
