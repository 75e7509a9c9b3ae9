// Runs a statistic by name on rows, as the command does.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "attune/base/errors.h"
#include "attune/config/read.h"
#include "attune/statistics/statistic.h"
#include "support/temporary.h"

namespace attune::testing {

inline Json run_on(const Evidence& evidence, const std::string& name, const std::vector<std::string>& options) {
  const auto* row = find_part<Statistic>(name);
  if (row == nullptr) throw std::runtime_error("no statistic " + name);
  Choice<Statistic> statistic(*row);
  ConfigNode root{.kind = ConfigNode::Kind::map, .file = "test"};
  for (const std::string& option : options) apply_override(root, option);
  read_fields(root, [&](Fields& fields) { row->part->describe(*statistic, fields); });
  return statistic->run(evidence).json;
}

inline Json run_on_file(const std::filesystem::path& path, const std::string& name,
                        const std::vector<std::string>& options = {}) {
  return run_on(Evidence(path.string()), name, options);
}

class Statistics : public ::testing::Test {
 protected:
  // The answer of a statistic on the text of a file.
  Json run(const std::string& name, const std::string& text, const std::vector<std::string>& options = {},
           const std::string& file = "rows.csv") {
    write_durably(disk(), directory_ / file, text);
    return run_on_file(directory_ / file, name, options);
  }
  // Its refusal, one line.
  std::string refusal(const std::string& name, const std::string& text, const std::vector<std::string>& options = {},
                      const std::string& file = "rows.csv") {
    try {
      run(name, text, options, file);
    } catch (const DataError& error) {
      return error.what();
    }
    ADD_FAILURE() << name << " was not refused";
    return "";
  }
  TemporaryDirectory directory_;
};

inline double at(const Json& json, const std::string& key) { return json.find(key)->number(); }

}  // namespace attune::testing
