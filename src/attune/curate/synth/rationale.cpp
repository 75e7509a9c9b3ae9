// Reasons for comparisons, from what the data itself says of both answers: a template, no judge. It only repeats
// recorded ratings in words, so a reason is as true as they are; a comparison that no rating supports gets none.
#include <cmath>
#include <map>

#include "attune/curate/operator.h"
#include "attune/data/scores.h"

namespace attune::curate {
namespace {

// Every attribute that somebody rated in the record, thumbs aside, in order of their names.
std::map<std::string, CompletionMeans> all_ratings(const Record& record) {
  std::map<std::string, CompletionMeans> ratings;
  for (const Feedback& feedback : record.feedback) {
    const auto* rating = std::get_if<Rating>(&feedback.what);
    if (rating == nullptr || rating->attribute == thumb_attribute) continue;
    if (!ratings.contains(rating->attribute)) ratings.emplace(rating->attribute, ratings_of(record, rating->attribute));
  }
  return ratings;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  }
  return text;
}

}  // namespace

class Rationale final : public Operator {
  double least_ = 0;
  bool concede_ = true;
  bool keep_all_ = true;

 public:
  void describe(Fields& fields) {
    fields("least", least_, "by how much ratings must differ at least to be named; equal ones never are").at_least(0);
    fields("concede", concede_, "also say in what the rejected answer was rated higher");
    fields("keep_all", keep_all_, "keep records without any reason");
  }

  void apply(std::span<Record> records, const Stretch&, Sink& sink) const override {
    for (Record& record : records) {
      const auto ratings = all_ratings(record);
      bool reasoned = false;
      for (const Pair& pair : pairs(record)) {
        Feedback& feedback = record.feedback[static_cast<std::size_t>(pair.feedback)];
        if (!feedback.why.empty()) {
          sink.count("had a reason");
        } else if (feedback.why = reason(ratings, pair, feedback); feedback.why.empty()) {
          sink.count("no rating supports the comparison");
        } else {
          sink.count("reasons");
        }
        reasoned = reasoned || !feedback.why.empty();
      }
      if (reasoned || keep_all_) {
        sink.keep(std::move(record));
      } else {
        sink.count("dropped: no reason");
      }
    }
  }

 private:
  // Answers are called as the prompt of a reason calls them: A and B, in the order of the comparison.
  std::string reason(const std::map<std::string, CompletionMeans>& ratings, const Pair& pair,
                     const Feedback& feedback) const {
    const bool chosen_is_a = std::get<Comparison>(feedback.what).a.completion == pair.chosen;
    const auto chosen = static_cast<std::size_t>(pair.chosen), rejected = static_cast<std::size_t>(pair.rejected);
    std::vector<std::string> for_it, against_it;
    for (const auto& [attribute, means] : ratings) {
      if (!means.has(chosen) || !means.has(rejected)) continue;
      const double more = means.mean(chosen) - means.mean(rejected);
      if (more == 0 || std::abs(more) < least_) continue;
      (more > 0 ? for_it : against_it)
          .push_back(attribute + " (" + format_double(means.mean(chosen)) + " against " +
                     format_double(means.mean(rejected)) + ")");
    }
    if (for_it.empty()) return {};
    std::string text =
        std::string("Answer ") + (chosen_is_a ? "A" : "B") + " was rated higher in " + joined(for_it) + ".";
    if (concede_ && !against_it.empty()) text += " It was rated lower in " + joined(against_it) + ".";
    return text;
  }
};

ATTUNE_PART(Operator, synth_rationale, Rationale,
            .summary = "writes a reason for each comparison that has none, from the ratings of both answers",
            .formula = "Answer A was rated higher in ATTRIBUTE (x against y), ...",
            .paper = "Just et al. 2024, Data-Centric Human Preference Optimization with Rationales, arXiv:2407.14477");

}  // namespace attune::curate
