#include "attune/data/duplicates.h"

#include <string>
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

// An answer whose text stands elsewhere is known by its author.
std::string answer_key(const Record& record, std::int32_t completion) {
  const Completion& answer = record.completions[completion];
  const std::string text = completion_text(record, answer);
  return hash_hex(text.empty() && answer.last >= 0 ? "\x1f" + record.nodes[answer.last].message.name : text);
}

}  // namespace

void DuplicateCounter::add(const Record& record) {
  for (const Pair& pair : pairs(record)) {
    const std::string annotator = std::to_string(record.feedback[pair.feedback].annotator);
    const std::string prompt = prompt_key(record, record.completions[pair.chosen].after) + annotator;
    const std::string chosen = answer_key(record, pair.chosen), rejected = answer_key(record, pair.rejected);
    // Hashes of what is compared: a few bytes a pair, however long the texts are.
    if (!seen_.insert(hash_hex(prompt + chosen + rejected)).second) ++counts_.repeated;
    if (seen_.contains(hash_hex(prompt + rejected + chosen))) ++counts_.conflicting;
  }
}

DuplicateCounts count_duplicates(const Dataset& dataset) {
  DuplicateCounter counter;
  for (const Record& record : dataset.records) counter.add(record);
  return counter.counts();
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
