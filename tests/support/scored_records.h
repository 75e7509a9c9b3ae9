// Records with every kind of label and with token ids, for language models: labelled_records() with words.
#pragma once

#include <numeric>
#include <vector>

#include "attune/base/random.h"
#include "support/sequence_policy.h"

namespace attune::testing {

// Ids below 61, as the tiny models have.
inline std::vector<TokenRecord> labelled_token_records(std::int64_t count = 4) {
  std::vector<TokenRecord> records = labelled_records(count);
  for (std::size_t i = 0; i < records.size(); ++i) {
    Random random(11, "ids", {static_cast<std::int64_t>(i)});
    const auto draw = [&](std::int64_t tokens) {
      std::vector<std::int32_t> ids;
      while (std::ssize(ids) < tokens) ids.push_back(static_cast<std::int32_t>(random.below(61)));
      return ids;
    };
    records[i].prompt = draw(2);
    for (std::size_t c = 0; c < records[i].completions.size(); ++c) {
      const std::int64_t tokens = records[i].scored_tokens[c];
      records[i].completions[c] = {draw(tokens), std::vector<std::uint8_t>(static_cast<std::size_t>(tokens), 1)};
    }
  }
  return records;
}

}  // namespace attune::testing
