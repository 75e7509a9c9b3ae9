// What diagnostics of preference pairs share: the pairs, with all votes on one taken together, and both sides'
// log-probabilities under a model.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "attune/base/json.h"
#include "attune/model/language_model.h"
#include "attune/policy/batch.h"
#include "attune/policy/token_record.h"

namespace attune::diagnostics {

// Two completions that were compared at least once.
struct ComparedPair {
  std::size_t record = 0;                 // into the records
  std::int32_t chosen = 0, rejected = 0;  // completions; of an even split, as the first vote has it
  double votes = 0;                       // sum of their weights
  double share = 1;                       // of the votes that prefer `chosen`, in [0.5, 1]
};

// Every pair once, in order of the records. Throws DataError when there is none.
std::vector<ComparedPair> compared_pairs(std::span<const TokenRecord> records);

// A number of both sides of a pair.
struct Sides {
  double chosen = 0, rejected = 0;
  double difference() const { return chosen - rejected; }
};

// Of every scored token of every completion: [record][completion][token], nats, without gradients.
using TokenLogps = std::vector<std::vector<std::vector<double>>>;
TokenLogps token_logps(LanguageModel& model, std::span<const TokenRecord> records, std::int64_t batch_tokens);

// Summed over scored tokens.
std::vector<Sides> pair_logps(LanguageModel& model, std::span<const TokenRecord> records,
                              std::span<const ComparedPair> pairs, std::int64_t batch_tokens);

// Scored tokens.
std::vector<Sides> pair_lengths(std::span<const TokenRecord> records, std::span<const ComparedPair> pairs);

// Calls with all completions of all records, bin by bin; shows progress of `what`.
void each_bin(const std::string& what, std::span<const TokenRecord> records, std::int64_t batch_tokens,
              const std::function<void(const Batch&)>& visit);

// How answers address a record: its id, or its row number.
Json address(const TokenRecord& record);

// {"record", "chosen", "rejected"}, to which a diagnostic adds what it found.
Json pair_json(std::span<const TokenRecord> records, const ComparedPair& pair);

}  // namespace attune::diagnostics
