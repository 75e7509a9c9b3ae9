// How an adapter's tensors are named and shaped: shared by making and reading one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/model/family.h"

namespace attune {

inline constexpr std::string_view adapter_prefix = "base_model.model.";

inline std::string down_name(const std::string& module) {
  return std::string(adapter_prefix) + module + ".lora_A.weight";
}
inline std::string up_name(const std::string& module) {
  return std::string(adapter_prefix) + module + ".lora_B.weight";
}
inline std::string magnitude_name(const std::string& module) {
  return std::string(adapter_prefix) + module + ".lora_magnitude_vector";
}

// A module's rows of a fused matrix, [rows, in].
struct ModulePlace {
  const Linear* linear = nullptr;
  const Linear::Module* module = nullptr;
  Tensor weight() const { return linear->weight.detach().slice(0, module->row_begin, module->row_end); }
};
// InternalError when there is no such module.
ModulePlace find_module(Family& family, const std::string& path);

}  // namespace attune
