// An Operator turns preference data into better preference data: of each record it makes none, one or several. One file
// of this folder each, in a folder of its kind: weight/, pairs/, synth/.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/json.h"
#include "attune/config/fields.h"
#include "attune/config/part.h"
#include "attune/curate/writer.h"
#include "attune/data/builder.h"

namespace attune {

// Where an operator puts what it makes.
class Sink {
 public:
  explicit Sink(const Dataset& tables) : builder_(tables) {}
  void keep(Record record) { builder_.add(std::move(record)); }
  // Says in the answer how often something happened: "dropped: no scored answers". Never any content of a record.
  void count(const std::string& what, std::int64_t times = 1) { counts_[what] += times; }
  // The index of an annotator in the data's table, entered if new.
  std::int32_t annotator(const Annotator& annotator) { return builder_.annotator(annotator); }

  const std::map<std::string, std::int64_t>& counts() const { return counts_; }
  Dataset finish() { return builder_.finish(); }

 private:
  DatasetBuilder builder_;
  std::map<std::string, std::int64_t> counts_;
};

// Which records a span holds and what draws for them are indexed by: Random(seed, "curate/NAME", {first + i}), so that
// how the data is cut into spans changes nothing.
struct Stretch {
  std::uint64_t seed = 0;
  std::int64_t first = 0;  // the place in the data of the span's first record
};

class Operator {
 public:
  virtual ~Operator() = default;
  // Throws ConfigError when options exclude each other; called before any data is read.
  virtual void check() const {}
  // Of the model whose answers it needs; nullptr: none. Then take_writer() comes before any data.
  virtual const WriterSettings* writer_settings() const { return nullptr; }
  virtual void take_writer(std::shared_ptr<const Writer>) {}
  // Learns what has to be known of all data before the first record is changed. Called once. DataError where the data
  // does not hold what it is about.
  virtual void observe(const Dataset&) {}
  // Hands what becomes of these records to the sink, in order. The records may be moved from.
  virtual void apply(std::span<Record> records, const Stretch& stretch, Sink& sink) const = 0;
  // What it learned, for the answer and the manifest.
  virtual Json findings() const { return Json::object(); }
  void describe(Fields&) {}
};

template <>
inline constexpr std::string_view part_kind<Operator> = "operator";

using OperatorList = std::vector<Choice<Operator>>;

// Whether one of them needs a model's answers, and giving each that does a writer of its own.
bool asks_for_writer(const OperatorList& operators);
void open_writers(const OperatorList& operators, const OpenWriter& open);

// What became of the data in one operator.
struct OperatorStep {
  std::string name = {};
  Json options = Json::object();
  std::int64_t in = 0, out = 0;  // records
  std::map<std::string, std::int64_t> counts = {};
  Json findings = Json::object();
  Json json() const;
};

struct Curated {
  Dataset dataset = {};
  std::vector<OperatorStep> steps = {};
};

// The operators in order, each over all of what the one before it left; their names join the chain of every source.
// DataError when no record is left.
Curated apply_operators(Dataset dataset, const OperatorList& operators, std::uint64_t seed);

}  // namespace attune
