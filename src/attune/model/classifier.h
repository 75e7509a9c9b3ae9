// Sequence classifiers: language models with a score head, as Hugging Face's ...ForSequenceClassification classes keep
// them. Reward models are such with one label.
#pragma once

#include <cstdint>
#include <span>

namespace attune {

// The token whose state is scored: the last one that is not the pad token, the first when all are, and the last where
// there is no pad token (-1). A sequence that ends with a token which is also the pad token (often the end of text) is
// scored one earlier, there as here.
std::int64_t scored_token(std::span<const std::int32_t> ids, std::int64_t pad_token);

}  // namespace attune
