// Tiny models that transformers made and computed with, recorded by tests/parity/record_models.py and
// record_families.py.
#pragma once

#include <ATen/ops/empty.h>

#include <algorithm>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/tensor/torch.h"

namespace attune::testing {

inline Path recorded_model(const std::string& name) {
  return Path(ATTUNE_SOURCE_DIR) / "tests" / "parity" / "recorded" / name;
}

inline Json expected_of(const std::string& name) {
  return Json::parse(read_file(recorded_model(name) / "expected.json"));
}

inline std::vector<std::int32_t> ids_of(const Json& list) {
  std::vector<std::int32_t> ids;
  for (const Json& id : list.items()) ids.push_back(static_cast<std::int32_t>(id.integer()));
  return ids;
}

inline Tensor numbers_of(const Json& list) {
  const Tensor result = at::empty({static_cast<std::int64_t>(list.size())}, at::TensorOptions(at::kDouble));
  for (std::size_t i = 0; i < list.size(); ++i) result.mutable_data_ptr<double>()[i] = list.items()[i].number();
  return result;
}

// The language models of record_models.py.
inline constexpr const char* first_recorded[] = {
    "llama", "llama-tied",   "llama-bias", "llama-rope-linear", "llama-rope-llama3", "mistral",
    "qwen2", "qwen2-window", "gpt2"};

// The folders families/<name>: language models, or classifiers, whose names end so.
inline std::vector<std::string> recorded_families(bool classifiers) {
  std::vector<std::string> names;
  for (const std::string& name : list_directory(recorded_model("families"))) {
    if (name.ends_with("-classifier") == classifiers) names.push_back("families/" + name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace attune::testing
