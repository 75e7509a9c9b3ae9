#include "attune/statistics/score_rows.h"

#include <cmath>
#include <map>
#include <unordered_map>

#include "attune/base/errors.h"
#include "attune/data/scores.h"

namespace attune {
namespace {

std::string address(const Record& record, std::size_t row) {
  return record.id.empty() ? std::to_string(row) : record.id;
}

// Record by record, completion by completion; NaN where there is no score.
using Scores = std::vector<std::vector<double>>;

Scores read_scores(const Evidence& evidence, const std::string& path) {
  const auto& records = evidence.dataset().records;
  Scores scores;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t r = 0; r < records.size(); ++r) {
    scores.emplace_back(records[r].completions.size(), NAN);
    if (!places.try_emplace(address(records[r], r), r).second) {
      throw DataError({.file = evidence.path(), .record = address(records[r], r)}, "an id that two records have",
                      "ids that tell records apart, to join scores by");
    }
  }
  const Evidence file{path};
  for (const EvidenceRow& row : file.rows()) {
    const auto place = places.find(text_in(row, "record"));
    if (place == places.end()) {
      refuse_cell(row, "record", "a record that the data does not have", "scores of " + evidence.path(),
                  "score the same data");
    }
    const double completion = number_in(row, "completion");
    auto& own = scores[place->second];
    if (!(completion >= 0) || completion >= static_cast<double>(own.size()) || completion != std::floor(completion)) {
      refuse_cell(row, "completion", "a completion that the record does not have",
                  "0 to " + std::to_string(own.size() - 1));
    }
    double& score = own[static_cast<std::size_t>(completion)];
    if (!std::isnan(score)) refuse_cell(row, "completion", "a second score of the same completion", "one");
    score = number_in(row, "score");
  }
  return scores;
}

Scores own_scores(const Evidence& evidence) {
  const Dataset& dataset = evidence.dataset();
  const std::string attribute = score_attribute(dataset);
  Scores scores;
  for (const Record& record : dataset.records) {
    const CompletionMeans means = ratings_of(record, attribute);
    scores.emplace_back();
    for (std::size_t c = 0; c < record.completions.size(); ++c) {
      scores.back().push_back(means.has(c) ? means.mean(c) : NAN);
    }
  }
  return scores;
}

}  // namespace

std::vector<ScoredPair> scored_pairs(const Evidence& evidence, const std::string& path) {
  const Scores scores = path.empty() ? own_scores(evidence) : read_scores(evidence, path);
  const auto& records = evidence.dataset().records;
  std::vector<ScoredPair> result;
  for (std::size_t r = 0; r < records.size(); ++r) {
    for (const Pair& pair : pairs(records[r])) {
      const double chosen = scores[r][static_cast<std::size_t>(pair.chosen)];
      const double rejected = scores[r][static_cast<std::size_t>(pair.rejected)];
      if (std::isnan(chosen) || std::isnan(rejected)) {
        throw DataError({.file = path.empty() ? evidence.path() : path, .record = address(records[r], r)},
                        "no score of an answer", "one for each answer of a pair",
                        path.empty() ? "name a file: scores=FILE" : "score the same data");
      }
      result.push_back({chosen, rejected});
    }
  }
  if (result.empty()) evidence.refuse("no decided pair", "at least one");
  return result;
}

}  // namespace attune
