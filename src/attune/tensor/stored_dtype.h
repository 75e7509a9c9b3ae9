// Names of element types in safetensors headers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "attune/tensor/torch.h"

namespace attune {

std::optional<at::ScalarType> stored_dtype(std::string_view name);  // "F32" -> float
std::string_view stored_dtype_name(at::ScalarType dtype);           // InternalError for a type that is not stored
std::string stored_dtype_names();                                   // all, for messages

}  // namespace attune
