// Ratings of items by annotators, from a table or from preference data: what all statistics of agreement read.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/config/fields.h"
#include "attune/statistics/evidence.h"
#include "attune/stats/agreement.h"
#include "attune/stats/label_votes.h"

namespace attune {

enum class RatingsFrom { automatic, comparisons, ratings };
constexpr auto enum_names(RatingsFrom) {
  using Name = std::pair<std::string_view, RatingsFrom>;
  return std::array{Name{"auto", RatingsFrom::automatic}, Name{"comparisons", RatingsFrom::comparisons},
                    Name{"ratings", RatingsFrom::ratings}};
}

enum class Repeats { refuse, last };
constexpr auto enum_names(Repeats) {
  using Name = std::pair<std::string_view, Repeats>;
  return std::array{Name{"refuse", Repeats::refuse}, Name{"last", Repeats::last}};
}

struct RatingsOptions {
  std::string item = "item", annotator = "annotator", value = "value";
  std::vector<std::string> columns = {};
  std::string trait = {};
  RatingsFrom from = RatingsFrom::automatic;
  std::string attribute = {};
  std::vector<std::string> scale = {};
  std::optional<double> lowest = {}, highest = {};
  Repeats repeats = Repeats::refuse;
  void describe(Fields& fields);
};

struct Ratings {
  std::vector<Vote> votes = {};  // unit into items, rater into annotators; at most one a unit and rater
  std::vector<std::string> items = {}, annotators = {};
  std::vector<std::string> labels = {};  // of texts: a vote's value is a place in here; empty: values are numbers
  bool of_comparisons = false;           // then the labels are names of Outcome, most of them never used
  std::vector<std::string> groups = {};  // by annotator, where a trait was asked for; empty text: unknown
  std::optional<double> lowest = {}, highest = {};  // of the scale, where known

  std::vector<std::vector<double>> units() const;  // each item's values, items without any included
  std::vector<double> values() const;              // the different ones, sorted
  std::string label(double value) const;           // a value as text
  std::vector<std::vector<Vote>> votes_by_item() const;
};

// A table (columns item, annotator, value; or one column an annotator) where the rows have these columns, else
// preference data: comparisons by several people, or ratings of an attribute. Ratings without an annotator count as by
// the first, second, ... of their item. Null cells are missing ratings. Throws DataError for values outside of their
// scale, a second rating by the same annotator (unless the last is asked for), and where there is no rating at all.
Ratings read_ratings(const Evidence& evidence, const RatingsOptions& options);

// Throws DataError where fewer than two people rated, or no two of them the same item, or all values are equal.
void require_agreement_possible(const Evidence& evidence, const Ratings& ratings);

// The votes with labels numbered, and the label of each number.
struct NumberedVotes {
  LabelVotes votes = {};
  std::vector<std::string> labels = {};
};
NumberedVotes label_votes(const Ratings& ratings);

}  // namespace attune
