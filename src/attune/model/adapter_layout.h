// How an adapter's tensors are named and shaped: shared by making and reading one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/model/family.h"

namespace attune {

inline constexpr std::string_view adapter_prefix = "base_model.model.";

// lora_A [rank, in] and lora_B [out, rank] of each module.
std::vector<ParameterSpec> adapter_specs(Family& family, const std::vector<std::string>& modules, std::int64_t rank);

}  // namespace attune
