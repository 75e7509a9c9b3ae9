// Records to token records: what is prompt, what is answer, in tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "attune/data/record.h"
#include "attune/policy/needs.h"
#include "attune/policy/token_record.h"
#include "attune/text/tokenizer.h"
#include "attune/train/context.h"

namespace attune {

// A conversation as tokens: ids, and which of them an assistant had to produce in the messages from `first_answer` on.
struct ChatTokens {
  std::vector<std::int32_t> ids = {};
  std::vector<std::uint8_t> scored = {};
};
using ChatEncoder = std::function<ChatTokens(const Record& record, const Completion& completion)>;

struct EncodeSettings {
  std::int64_t max_tokens = 1024;        // of prompt and completion; longer ones are cut at the end
  ChatEncoder chat = {};                 // for records that are conversations
  std::string attribute = {};            // whose ratings are the scores; see score_attribute()
  std::vector<LabelColumn> labels = {};  // further columns of ratings
  ContextUse context = ContextUse::ignore;
  bool reference_answers = false;  // gold answers become completions, after the prompt of the first one
  bool rationales = false;         // the reasons of comparisons become completions that stand alone
};

struct EncodeReport {
  std::int64_t records = 0;       // kept
  std::int64_t long_prompts = 0;  // dropped: the prompt leaves no room for an answer
  std::int64_t no_answer = 0;     // dropped: a side has no token to score
  std::int64_t truncated = 0;     // completions cut at the end
};

struct EncodedData {
  std::vector<TokenRecord> records = {};
  EncodeReport report = {};
};

// Says on the log what was dropped and cut.
void log_report(const EncodeReport& report);

// Plain text is tokenised as prompt + completion at once; a token belongs to the answer when it begins in it, and the
// tokenizer's end-of-text token is added where the text does not end with it. Throws DataError when no record is left,
// and for records with images.
EncodedData encode(const Dataset& dataset, const Tokenizer& tokenizer, const EncodeSettings& settings);

}  // namespace attune
