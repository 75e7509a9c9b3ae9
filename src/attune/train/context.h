// A record's context (a criterion, a user's situation, retrieved text) as part of what models read, so that one model
// can say what is preferred under each (Pitis et al. 2024, Improving Context-Aware Preference Modeling,
// arXiv:2407.14916).
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "attune/data/record.h"

namespace attune {

enum class ContextUse { ignore, before, after };
constexpr auto enum_names(ContextUse) {
  return std::array{std::pair{std::string_view("ignore"), ContextUse::ignore},
                    std::pair{std::string_view("before"), ContextUse::before},
                    std::pair{std::string_view("after"), ContextUse::after}};
}

// The record with its context before the first, or after the last message of each completion's prompt, system messages
// aside, a blank line between. Where a prompt has no such message, DataError.
Record with_context(Record record, ContextUse use);

}  // namespace attune
