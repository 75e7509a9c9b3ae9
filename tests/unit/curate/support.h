// Records of plain prompts and answers, and one operator run on them.
#pragma once

#include <string>
#include <vector>

#include "attune/config/node.h"
#include "attune/config/read.h"
#include "attune/curate/operator.h"

namespace attune::testing {

// A prompt with answers, nobody's judgement yet.
inline Record answered(const std::string& prompt, const std::vector<std::string>& answers, std::string id = {}) {
  Record record{.id = std::move(id)};
  record.nodes.push_back({.parent = -1, .message = {.content = {{.text = prompt}}}});
  for (const std::string& answer : answers) {
    record.nodes.push_back({.parent = 0, .message = {.content = {{.text = answer}}}});
    record.completions.push_back({0, static_cast<std::int32_t>(record.nodes.size()) - 1});
  }
  return record;
}

inline void rate(Record& record, std::int32_t completion, const std::string& attribute, double value) {
  record.feedback.push_back({.what = Rating{.attribute = attribute, .value = value}, .on = {.completion = completion}});
}

inline void prefer(Record& record, std::int32_t better, std::int32_t worse) {
  record.feedback.push_back(
      {.what = Comparison{.a = {.completion = better}, .b = {.completion = worse}, .outcome = Outcome::a}});
}

// `yaml` is what a run file's `curate:` holds.
inline OperatorList operators_of(const std::string& yaml) {
  struct {
    OperatorList curate = {};
    void describe(Fields& fields) { fields("curate", curate, ""); }
  } chosen;
  read_config(parse_yaml("curate: " + yaml, "test"), chosen);
  return chosen.curate;
}

inline Curated curated(std::vector<Record> records, const std::string& yaml, std::uint64_t seed = 0) {
  Dataset dataset;
  dataset.records = std::move(records);
  return apply_operators(std::move(dataset), operators_of(yaml), seed);
}

}  // namespace attune::testing
