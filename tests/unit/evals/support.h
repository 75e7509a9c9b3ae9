// Runs a benchmark by name, as the command does.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/config/read.h"
#include "attune/evals/eval.h"
#include "support/temporary.h"

namespace attune::testing {

inline Json run_eval_on(const EvalInput& input, const std::string& name, const std::vector<std::string>& options) {
  const auto* row = find_part<Eval>(name);
  if (row == nullptr) throw std::runtime_error("no benchmark " + name);
  Choice<Eval> eval(*row);
  ConfigNode root{.kind = ConfigNode::Kind::map, .file = "test"};
  for (const std::string& option : options) apply_override(root, option);
  read_fields(root, [&](Fields& fields) { row->part->describe(*eval, fields); });
  return eval_page(name, eval->run(input)).json;
}

// A number by its path: at(json, "parts", "Chat").
template <class... Keys>
double at(const Json& json, const Keys&... keys) {
  const Json* place = &json;
  for (const std::string& key : {std::string(keys)...}) {
    place = place->find(key);
    if (place == nullptr) throw std::runtime_error("nothing at " + key);
  }
  return place->number();
}

class Evals : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) {
    write_durably(disk(), directory_ / name, text);
    return (directory_ / name).string();
  }
  // The answer on the text of a data file and of a file of scores.
  Json scored(const std::string& name, const std::string& data, const std::string& scores,
              const std::vector<std::string>& options = {}) {
    return run_eval_on({.data = Evidence(file("data.jsonl", data)), .scores = file("scores.jsonl", scores)}, name,
                       options);
  }
  Json judged(const std::string& name, const std::string& data, const std::string& verdicts,
              const std::vector<std::string>& options = {}) {
    return run_eval_on({.data = Evidence(file("data.jsonl", data)), .verdicts = file("verdicts.jsonl", verdicts)}, name,
                       options);
  }
  Json plain(const std::string& name, const std::string& data, const std::vector<std::string>& options = {},
             const std::string& called = "data.jsonl") {
    return run_eval_on({.data = Evidence(file(called, data))}, name, options);
  }
  template <class Call>
  static std::string refusal(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "was not refused";
    return "";
  }
  TemporaryDirectory directory_;
};

}  // namespace attune::testing
