#include "attune/diagnostics/score_file.h"

#include <cmath>
#include <map>
#include <string>

#include "attune/base/errors.h"
#include "attune/data/rows.h"

namespace attune::diagnostics {
namespace {

using Key = std::pair<std::string, std::int64_t>;  // a record's address as JSON, and its completion

// The row's key and score; DataError when it has another shape.
std::pair<Key, double> score_of(const RawRow& row, const Path& path) {
  const auto refuse = [&](const std::string& found) -> DataError {
    return {{.file = path.string(), .line = row.line}, found, R"({"record", "completion", "score"})"};
  };
  if (!row.problem.empty()) throw refuse(row.problem);
  Json json;
  try {
    json = Json::parse(row.text);
  } catch (const JsonSyntaxError& error) {
    throw refuse("no JSON: " + error.reason);
  }
  const Json *record = json.find("record"), *completion = json.find("completion"), *score = json.find("score");
  if (record == nullptr || completion == nullptr || score == nullptr) throw refuse("a row without one of the three");
  if (!completion->is_integer() || !score->is_number()) throw refuse("a completion or a score of another type");
  return {{record->str(), completion->integer()}, score->number()};
}

}  // namespace

std::vector<Sides> read_scores(const Path& path, std::span<const TokenRecord> records,
                               std::span<const ComparedPair> pairs) {
  std::map<Key, double> scores;
  try {
    RowReader reader(open_bytes(path), RowLayout::lines);
    for (RawRow row; reader.next(row);) {
      auto [key, score] = score_of(row, path);
      scores.insert_or_assign(std::move(key), score);
    }
  } catch (const DamagedStream& damage) {
    throw DataError({.file = path.string(), .offset = damage.offset}, damage.found, damage.expected);
  }
  std::vector<Sides> result;
  for (const ComparedPair& pair : pairs) {
    const auto score = [&](std::int32_t completion) {
      const std::string record = address(records[pair.record]).str();
      const auto found = scores.find({record, completion});
      if (found != scores.end()) return found->second;
      throw DataError({.file = path.string(), .record = record}, "no score of completion " + std::to_string(completion),
                      "a score of both answers of every pair");
    };
    result.push_back({score(pair.chosen), score(pair.rejected)});
  }
  return result;
}

std::vector<Sides> data_scores(std::span<const TokenRecord> records, std::span<const ComparedPair> pairs) {
  std::vector<Sides> result;
  for (const ComparedPair& pair : pairs) {
    const TokenRecord& record = records[pair.record];
    const auto score = [&](std::int32_t completion) {
      const auto at = static_cast<std::size_t>(completion);
      if (at < record.labels.size() && !std::isnan(record.labels[at].score)) return record.labels[at].score;
      throw DataError({.record = address(record).str()}, "no score of completion " + std::to_string(completion),
                      "a score of both answers of every pair", "name a file with scores=");
    };
    result.push_back({score(pair.chosen), score(pair.rejected)});
  }
  return result;
}

}  // namespace attune::diagnostics
