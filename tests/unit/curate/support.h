// Records of plain prompts and answers, and one operator run on them.
#pragma once

#include <memory>
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

// Stands in for a model: an answer says what it was asked for. Every third sample is empty, every other one cut; a
// prompt that says so is too long.
class ScriptedWriter final : public Writer {
 public:
  std::vector<std::vector<Written>> write(std::span<const WriteRequest> requests) const override {
    std::vector<std::vector<Written>> result;
    for (const WriteRequest& request : requests) {
      std::string prompt;
      for (const Message* message :
           path_to(request.prompt, static_cast<std::int32_t>(request.prompt.nodes.size()) - 1)) {
        prompt += std::string(name(message->role)) + ": " + text_of(*message) + "|";
      }
      result.emplace_back();
      for (int s = 0; s < request.samples && prompt.find("too long") == std::string::npos; ++s) {
        const std::string text =
            prompt + std::to_string(request.seed) + "/" + std::to_string(request.id) + "/" + std::to_string(s);
        result.back().push_back({.text = s % 3 == 2 ? "" : text, .whole = s % 2 == 0});
      }
    }
    return result;
  }
  std::string model_hash() const override { return "scripted"; }
};

// `yaml` is what a run file's `curate:` holds. Models are scripted.
inline OperatorList operators_of(const std::string& yaml) {
  struct {
    OperatorList curate = {};
    void describe(Fields& fields) { fields("curate", curate, ""); }
  } chosen;
  read_config(parse_yaml("curate: " + yaml, "test"), chosen);
  open_writers(chosen.curate, [](const WriterSettings&) { return std::make_shared<ScriptedWriter>(); });
  return chosen.curate;
}

inline Curated curated(std::vector<Record> records, const std::string& yaml, std::uint64_t seed = 0) {
  Dataset dataset;
  dataset.records = std::move(records);
  return apply_operators(std::move(dataset), operators_of(yaml), seed);
}

}  // namespace attune::testing
