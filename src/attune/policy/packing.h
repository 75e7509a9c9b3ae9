// Records into micro-batches of a bounded number of tokens. Which bin a record falls into changes nothing but rounding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/policy/token_record.h"

namespace attune {

// The members (indices of records) as bins of at most `tokens` tokens, a record that is larger alone in its own.
// Largest first, each to the fullest bin that still has room; bins in order of their first record.
std::vector<std::vector<std::int64_t>> pack(std::span<const TokenRecord> records, std::vector<std::int64_t> members,
                                            std::int64_t tokens);

// All records.
std::vector<std::vector<std::int64_t>> bins_of(std::span<const TokenRecord> records, std::int64_t tokens);

}  // namespace attune
