#include "attune/data/duplicates.h"

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "attune/base/hash.h"

namespace attune {
namespace {

// The prompt with its speakers, so that the same words in another role are another prompt.
std::string prompt_key(const Record& record, std::int32_t after) {
  Hasher hasher;
  for (const Message* message : path_to(record, after))
    hasher.add(name(message->role)).add("\x1f").add(text_of(*message)).add("\x1e");
  return hasher.hex();
}

std::string answer_key(const Record& record, std::int32_t completion) {
  return hash_hex(completion_text(record, record.completions[completion]));
}

}  // namespace

DuplicateCounts count_duplicates(const Dataset& dataset) {
  DuplicateCounts counts;
  std::unordered_map<std::string, std::int64_t> seen;
  for (const Record& record : dataset.records) {
    for (const Pair& pair : pairs(record)) {
      const std::string annotator = std::to_string(record.feedback[pair.feedback].annotator);
      const std::string prompt = prompt_key(record, record.completions[pair.chosen].after) + annotator;
      const std::string chosen = answer_key(record, pair.chosen), rejected = answer_key(record, pair.rejected);
      if (seen[prompt + chosen + rejected]++ > 0) ++counts.repeated;
      if (seen.contains(prompt + rejected + chosen)) ++counts.conflicting;
    }
  }
  return counts;
}

std::int64_t shared_prompts(const Dataset& train, const Dataset& held_out) {
  const auto key = [](const Record& record) {
    const std::int32_t after = record.completions.empty() ? static_cast<std::int32_t>(record.nodes.size()) - 1
                                                          : record.completions.front().after;
    return prompt_key(record, after);
  };
  std::unordered_set<std::string> known;
  for (const Record& record : train.records) known.insert(key(record));
  std::int64_t shared = 0;
  for (const Record& record : held_out.records) shared += known.contains(key(record)) ? 1 : 0;
  return shared;
}

}  // namespace attune
