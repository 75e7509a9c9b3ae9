#include "attune/train/labels.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "attune/base/errors.h"

namespace attune {
namespace {

constexpr std::string_view thumb = "thumb";

bool of_whole_completion(const Feedback& feedback) {
  return feedback.on.completion >= 0 && feedback.on.step < 0 && feedback.on.begin < 0;
}

// Means of what several people said of each completion.
class Means {
 public:
  explicit Means(std::size_t completions) : sums_(completions), weights_(completions), counts_(completions) {}
  void add(std::int32_t completion, double value, double weight) {
    const auto at = static_cast<std::size_t>(completion);
    sums_[at] += weight * value;
    weights_[at] += weight;
    counts_[at] += 1;
    any_ = true;
  }
  bool any() const { return any_; }
  bool has(std::size_t completion) const { return counts_[completion] > 0; }
  double sum(std::size_t completion) const { return sums_[completion]; }
  double mean(std::size_t completion) const {
    return weights_[completion] == 0 ? 0 : sums_[completion] / weights_[completion];
  }
  double weight(std::size_t completion) const { return weights_[completion]; }
  double count(std::size_t completion) const { return counts_[completion]; }

 private:
  std::vector<double> sums_, weights_, counts_;
  bool any_ = false;
};

void add_ranking(const Ranking& ranking, double weight, Means& scores) {
  for (std::size_t tier = 0; tier < ranking.tiers.size(); ++tier) {
    for (const Target& target : ranking.tiers[tier]) {
      if (target.completion >= 0) scores.add(target.completion, -static_cast<double>(tier), weight);
    }
  }
}

// -1 where it is not a number.
std::int32_t degree_of(const std::string& text) {
  std::int32_t degree = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), degree);
  return error == std::errc() && end == text.data() + text.size() ? degree : -1;
}

}  // namespace

std::string score_attribute(const Dataset& dataset, const std::string& asked) {
  std::vector<std::string> names;
  for (const Record& record : dataset.records) {
    for (const Feedback& feedback : record.feedback) {
      const auto* rating = std::get_if<Rating>(&feedback.what);
      if (rating == nullptr || rating->attribute == thumb || !of_whole_completion(feedback)) continue;
      if (std::find(names.begin(), names.end(), rating->attribute) == names.end()) names.push_back(rating->attribute);
    }
  }
  const std::string wanted = asked.empty() ? "score" : asked;
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
  if (asked.empty()) return names.empty() ? "" : names.front();
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw ConfigError({.field = "data.attribute"}, "no rating of that name in the data",
                    known.empty() ? "data with ratings" : "one of " + known);
}

FeedbackLabels feedback_labels(const Record& record, std::string_view attribute) {
  const std::size_t completions = record.completions.size();
  FeedbackLabels result;
  Means ratings(completions), rankings(completions), thumbs(completions);
  const auto labels = [&](std::int32_t completion) -> CompletionLabels& {
    result.labels.resize(completions);
    return result.labels[static_cast<std::size_t>(completion)];
  };
  const auto obsolete = superseded(record);
  for (std::size_t i = 0; i < record.feedback.size(); ++i) {
    const Feedback& feedback = record.feedback[i];
    if (obsolete[i]) continue;
    if (const auto* ranking = std::get_if<Ranking>(&feedback.what)) add_ranking(*ranking, feedback.weight, rankings);
    if (!of_whole_completion(feedback)) continue;
    const std::int32_t completion = feedback.on.completion;
    if (const auto* rating = std::get_if<Rating>(&feedback.what)) {
      if (rating->attribute == thumb) thumbs.add(completion, rating->value > 0 ? 1 : -1, feedback.weight);
      if (rating->attribute == attribute) ratings.add(completion, rating->value, feedback.weight);
    } else if (const auto* signal = std::get_if<Signal>(&feedback.what); signal != nullptr && signal->kind == "logp") {
      labels(completion).behaviour_logp = signal->value;
    } else if (const auto* label = std::get_if<Label>(&feedback.what); label != nullptr && label->name == "degree") {
      labels(completion).level = degree_of(label->value);
    }
  }
  const Means& scores = ratings.any() ? ratings : rankings;
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
