// Conversations of records as tokens, through the tokenizer's chat template or one from a file.
#pragma once

#include <string>
#include <vector>

#include "attune/base/json.h"
#include "attune/data/record.h"
#include "attune/generate/engine.h"
#include "attune/text/tokenizer.h"
#include "attune/train/encode.h"

namespace attune {

// Empty when there is no template: `file` is empty and the tokenizer has none. Throws MissingInput, FormatError.
ChatEncoder chat_encoder(const std::string& file, const Tokenizer& tokenizer);

// What sampling needs of the tokenizer, which must outlive it.
TextInterface text_interface(const Tokenizer& tokenizer);

// The prompt of a record's first completion (or the whole record when it has none), with the generation prompt, as ids.
std::vector<std::int32_t> encode_prompt(const Record& record, const std::string& template_file,
                                        const Tokenizer& tokenizer);

}  // namespace attune
