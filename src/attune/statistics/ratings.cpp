#include "attune/statistics/ratings.h"

#include <algorithm>
#include <map>
#include <set>

#include "attune/base/errors.h"
#include "attune/data/scores.h"
#include "attune/reports/compared_items.h"

namespace attune {
namespace {

// A rating as it was found, before values become numbers.
struct Found {
  std::int32_t item = 0, annotator = 0;
  Json value = {};
  const EvidenceRow* row = nullptr;
  std::string column = {};
};

class Table {
 public:
  Table(const Evidence& evidence, const RatingsOptions& options) : evidence_(evidence), options_(options) {}

  Ratings read() && {
    for (const EvidenceRow& row : evidence_.rows()) options_.columns.empty() ? add_long(row) : add_wide(row);
    Ratings ratings;
    ratings.items = items_.all();
    ratings.annotators = annotators_.all();
    ratings.lowest = options_.lowest;
    ratings.highest = options_.highest;
    groups_.resize(ratings.annotators.size());
    if (!options_.trait.empty()) ratings.groups = groups_;
    number(ratings);
    return ratings;
  }

 private:
  void add_long(const EvidenceRow& row) {
    const std::int32_t item = items_.add(text_in(row, options_.item));
    const std::int32_t annotator = annotators_.add(text_in(row, options_.annotator));
    if (!options_.trait.empty()) {
      groups_.resize(annotators_.all().size());
      std::string& group = groups_[static_cast<std::size_t>(annotator)];
      const Json& cell = cell_of(row, options_.trait);
      if (cell.is_null()) return add({item, annotator, cell_of(row, options_.value), &row, options_.value});
      if (!group.empty() && group != text_of(cell)) {
        refuse_cell(row, options_.trait, "an annotator in two groups", "one and the same in all rows of an annotator");
      }
      group = text_of(cell);
    }
    add({item, annotator, cell_of(row, options_.value), &row, options_.value});
  }

  void add_wide(const EvidenceRow& row) {
    const Json* id = row.value.find(options_.item);
    const std::string name = id != nullptr && !id->is_null() ? text_of(*id) : std::to_string(row.line);
    const std::int32_t item = items_.add(name);
    if (!rows_.insert(item).second) {
      refuse_cell(row, options_.item, "an item that an earlier row has", "one row an item", "keep one of the rows");
    }
    for (const std::string& column : options_.columns) {
      add({item, annotators_.add(column), cell_of(row, column), &row, column});
    }
  }

  void add(Found found) {
    if (found.value.is_null() || (found.value.is_string() && found.value.string().empty())) return;  // a missing rating
    if (found.value.is_array() || found.value.is_object()) {
      refuse_cell(*found.row, found.column, std::string(found.value.type_name()), "a rating");
    }
    const auto [place, fresh] = places_.try_emplace({found.item, found.annotator}, found_.size());
    if (fresh) {
      found_.push_back(std::move(found));
    } else if (options_.repeats == Repeats::last) {
      found_[place->second] = std::move(found);
    } else {
      refuse_cell(*found.row, options_.item, "a second rating of the item by the same annotator", "one",
                  "keep one of them, or set repeats=last");
    }
  }

  // Numbers where every value is one and no scale of words is given, else places among the labels.
  void number(Ratings& ratings) const {
    const bool numbers = options_.scale.empty() && std::all_of(found_.begin(), found_.end(), [](const Found& one) {
                           return number_of(one.value).has_value();
                         });
    ratings.labels = options_.scale;
    if (!numbers && options_.scale.empty()) {
      std::set<std::string> texts;
      for (const Found& one : found_) texts.insert(text_of(one.value));
      ratings.labels.assign(texts.begin(), texts.end());
    }
    std::map<std::string, double> codes;
    for (const std::string& label : ratings.labels) codes.emplace(label, static_cast<double>(codes.size()));
    for (const Found& one : found_) {
      double value = 0;
      if (numbers) {
        value = *number_of(one.value);
        check_bounds(one, value);
      } else {
        const auto code = codes.find(text_of(one.value));
        if (code == codes.end())
          refuse_cell(*one.row, one.column, "a rating outside of the scale", listed(options_.scale, 9));
        value = code->second;
      }
      ratings.votes.push_back({.unit = one.item, .rater = one.annotator, .value = value});
    }
  }

  void check_bounds(const Found& one, double value) const {
    const bool low = options_.lowest && value < *options_.lowest, high = options_.highest && value > *options_.highest;
    if (!low && !high) return;
    refuse_cell(*one.row, one.column, "a rating outside of its scale",
                low ? "at least " + format_double(*options_.lowest) : "at most " + format_double(*options_.highest));
  }

  const Evidence& evidence_;
  const RatingsOptions& options_;
  Names items_, annotators_;
  std::vector<Found> found_;
  std::vector<std::string> groups_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::size_t> places_;
  std::set<std::int32_t> rows_;
};

std::string name_of(const Record& record, std::size_t row) {
  return record.id.empty() ? std::to_string(row) : record.id;
}

std::string name_of(const Annotator& annotator, std::size_t number) {
  return annotator.id.empty() ? "annotator " + std::to_string(number) : annotator.id;
}

// Ratings of one attribute of whole completions (or of records), by annotator.
class Attribute {
 public:
  Attribute(const Evidence& evidence, const RatingsOptions& options) : evidence_(evidence), options_(options) {}

  Ratings read() && {
    const Dataset& dataset = evidence_.dataset();
    attribute_ = score_attribute(dataset, options_.attribute, "attribute");
    for (std::size_t i = 0; i < dataset.annotators.size(); ++i) annotators_.add(name_of(dataset.annotators[i], i));
    for (std::size_t r = 0; r < dataset.records.size(); ++r) add(dataset, r);
    ratings_.items = items_.all();
    ratings_.annotators = annotators_.all();
    return std::move(ratings_);
  }

 private:
  void add(const Dataset& dataset, std::size_t r) {
    const Record& record = dataset.records[r];
    const std::vector<bool> old = superseded(record);
    std::map<std::int32_t, int> unnamed;  // an item's ratings without annotator
    for (std::size_t i = 0; i < record.feedback.size(); ++i) {
      const Feedback& feedback = record.feedback[i];
      const auto* rating = std::get_if<Rating>(&feedback.what);
      if (rating == nullptr || old[i] || rating->attribute != attribute_) continue;
      std::string name = name_of(record, r);
      if (feedback.on.completion >= 0) name += "#" + std::to_string(feedback.on.completion);
      const std::int32_t item = items_.add(name);
      const std::int32_t annotator =
          feedback.annotator >= 0 ? feedback.annotator : annotators_.add("unnamed " + std::to_string(++unnamed[item]));
      check(dataset, record, r, *rating);
      if (!seen_.insert({item, annotator}).second) {
        if (options_.repeats == Repeats::refuse) {
          throw DataError({.file = evidence_.path(), .record = name_of(record, r)},
                          "a second rating of an answer by the same annotator", "one",
                          "give records ids of their own, or set repeats=last");
        }
        std::erase_if(ratings_.votes, [&](const Vote& vote) { return vote.unit == item && vote.rater == annotator; });
      }
      ratings_.votes.push_back({.unit = item, .rater = annotator, .value = rating->value});
    }
  }

  void check(const Dataset& dataset, const Record& record, std::size_t r, const Rating& rating) {
    auto low = options_.lowest, high = options_.highest;
    if (rating.scale >= 0) {
      const Scale& scale = dataset.scales[static_cast<std::size_t>(rating.scale)];
      if (!low) low = scale.low;
      if (!high) high = scale.high;
    }
    ratings_.lowest = low;
    ratings_.highest = high;
    if ((!low || rating.value >= *low) && (!high || rating.value <= *high)) return;
    throw DataError({.file = evidence_.path(), .record = name_of(record, r), .field = rating.attribute},
                    "a rating outside of its scale",
                    (low ? format_double(*low) : "any") + " to " + (high ? format_double(*high) : "any"));
  }

  const Evidence& evidence_;
  const RatingsOptions& options_;
  std::string attribute_;
  Names items_, annotators_;
  std::set<std::pair<std::int32_t, std::int32_t>> seen_;
  Ratings ratings_;
};

Ratings of_comparisons(const Evidence& evidence, const RatingsOptions& options) {
  const Dataset& dataset = evidence.dataset();
  Ratings ratings;
  for (std::size_t i = 0; i < dataset.annotators.size(); ++i) {
    ratings.annotators.push_back(name_of(dataset.annotators[i], i));
  }
  ratings.of_comparisons = true;
  for (int i = 0; i <= static_cast<int>(Outcome::unsure); ++i) {
    ratings.labels.emplace_back(name(static_cast<Outcome>(i)));
  }
  std::set<std::pair<std::int32_t, std::int32_t>> seen;
  for (const ComparedItem& item : compared_items(dataset)) {
    ratings.items.push_back(item.record);
    for (auto vote = item.votes.rbegin(); vote != item.votes.rend(); ++vote) {  // the last one counts
      if (seen.insert({vote->unit, vote->rater}).second) {
        ratings.votes.push_back(*vote);
      } else if (options.repeats == Repeats::refuse) {
        throw DataError({.file = evidence.path(), .record = item.record},
                        "a second comparison of the same answers by the same annotator", "one",
                        "keep one of them, or set repeats=last");
      }
    }
  }
  return ratings;
}

void add_groups(const Evidence& evidence, const RatingsOptions& options, Ratings& ratings) {
  if (options.trait.empty()) return;
  ratings.groups.resize(ratings.annotators.size());
  const auto& annotators = evidence.dataset().annotators;
  for (std::size_t i = 0; i < annotators.size(); ++i) {
    for (const auto& [trait, group] : annotators[i].traits) {
      if (trait == options.trait) ratings.groups[i] = group;
    }
  }
}

Ratings of_dataset(const Evidence& evidence, const RatingsOptions& options) {
  Ratings ratings;
  if (options.from != RatingsFrom::ratings && options.attribute.empty()) ratings = of_comparisons(evidence, options);
  const bool ask_ratings = ratings.votes.empty() && options.from != RatingsFrom::comparisons;
  if (ask_ratings) ratings = Attribute(evidence, options).read();
  add_groups(evidence, options, ratings);
  return ratings;
}

}  // namespace

void RatingsOptions::describe(Fields& fields) {
  fields("item", item, "column of what was rated");
  fields("annotator", annotator, "column of who rated it");
  fields("value", value, "column of the rating");
  fields("columns", columns, "instead: the columns of a table with one row an item and one column an annotator");
  fields("trait", trait, "column, or trait of annotators, that names their group");
  fields("from", from, "what of preference data counts as a rating; auto: comparisons, without any ratings");
  fields("attribute", attribute, "which ratings of preference data; empty: score, or the first attribute");
  fields("scale", scale, "the labels in order, for ratings that are words; empty: as the alphabet has them");
  fields("lowest", lowest, "the scale's lowest number; lower ones are refused");
  fields("highest", highest, "the scale's highest number");
  fields("repeats", repeats, "a second rating of an item by the same annotator: refuse, or take the last");
}

std::vector<std::vector<double>> Ratings::units() const {
  std::vector<std::vector<double>> result(items.size());
  for (const Vote& vote : votes) result[static_cast<std::size_t>(vote.unit)].push_back(vote.value);
  return result;
}

std::vector<std::vector<Vote>> Ratings::votes_by_item() const {
  std::vector<std::vector<Vote>> result(items.size());
  for (const Vote& vote : votes) result[static_cast<std::size_t>(vote.unit)].push_back(vote);
  return result;
}

std::vector<double> Ratings::values() const {
  std::set<double> values;
  for (const Vote& vote : votes) values.insert(vote.value);
  return {values.begin(), values.end()};
}

std::string Ratings::label(double value) const {
  return labels.empty() ? format_double(value) : labels[static_cast<std::size_t>(value)];
}

Ratings read_ratings(const Evidence& evidence, const RatingsOptions& options) {
  const bool table = !options.columns.empty() || evidence.has_columns({options.item, options.annotator, options.value});
  Ratings ratings = table ? Table(evidence, options).read() : of_dataset(evidence, options);
  if (ratings.votes.empty()) {
    evidence.refuse("no ratings by annotators", "rows with the columns " + options.item + ", " + options.annotator +
                                                    " and " + options.value +
                                                    ", or preference data that names its annotators");
  }
  return ratings;
}

void require_agreement_possible(const Evidence& evidence, const Ratings& ratings) {
  std::set<std::int32_t> raters;
  std::map<std::int32_t, int> counts;
  bool shared = false;
  for (const Vote& vote : ratings.votes) {
    raters.insert(vote.rater);
    shared = ++counts[vote.unit] > 1 || shared;
  }
  if (raters.size() < 2) evidence.refuse("one annotator", "at least two, to agree or not");
  if (!shared) evidence.refuse("no item that two annotators rated", "some, to see whether they agree");
  if (ratings.values().size() < 2) {
    evidence.refuse("all ratings equal", "at least two different ones: agreement beyond chance is not defined here");
  }
}

NumberedVotes label_votes(const Ratings& ratings) {
  NumberedVotes result;
  std::map<double, std::int32_t> numbers;
  for (const double value : ratings.values()) {
    numbers.emplace(value, static_cast<std::int32_t>(numbers.size()));
    result.labels.push_back(ratings.label(value));
  }
  result.votes.items = static_cast<std::int32_t>(ratings.items.size());
  result.votes.raters = static_cast<std::int32_t>(ratings.annotators.size());
  result.votes.labels = static_cast<std::int32_t>(result.labels.size());
  for (const Vote& vote : ratings.votes) {
    result.votes.votes.push_back({.item = vote.unit, .rater = vote.rater, .label = numbers.at(vote.value)});
  }
  return result;
}

}  // namespace attune
