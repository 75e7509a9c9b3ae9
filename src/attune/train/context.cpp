#include "attune/train/context.h"

#include <set>

#include "attune/base/errors.h"

namespace attune {
namespace {

bool is_system(const Message& message) { return message.role == Role::system || message.role == Role::developer; }

// The first or the last message of the prompt that ends at `after`, system messages aside; -1: none.
std::int32_t place_in_prompt(const Record& record, std::int32_t after, ContextUse use) {
  std::int32_t place = -1;
  for (std::int32_t node = after; node >= 0; node = record.nodes[static_cast<std::size_t>(node)].parent) {
    if (is_system(record.nodes[static_cast<std::size_t>(node)].message)) continue;
    place = node;
    if (use == ContextUse::after) break;
  }
  return place;
}

}  // namespace

Record with_context(Record record, ContextUse use) {
  if (use == ContextUse::ignore || record.context.empty()) return record;
  std::set<std::int32_t> places;
  for (const Completion& completion : record.completions) {
    const std::int32_t place = place_in_prompt(record, completion.after, use);
    if (place < 0) {
      throw DataError({.record = record.id, .field = "context"}, "a context and no prompt that it could stand in",
                      "a prompt", "set data.context: ignore");
    }
    places.insert(place);
  }
  for (const std::int32_t place : places) {
    auto& content = record.nodes[static_cast<std::size_t>(place)].message.content;
    if (use == ContextUse::before) {
      content.insert(content.begin(), {.text = record.context + "\n\n"});
    } else {
      content.push_back({.text = "\n\n" + record.context});
    }
  }
  return record;
}

}  // namespace attune
