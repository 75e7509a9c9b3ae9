// Conversations of records as tokens, through the tokenizer's chat template or one from a file.
#pragma once

#include <memory>
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

// Prompts of records as ids: what stands before a record's first completion (the whole record when it has none), with
// the generation prompt where the conversation waits for an answer.
class PromptEncoder {
 public:
  // `tokenizer` must outlive this. `attributes`: what a template for steered models puts before the answer
  // ("quality:9,toxicity:0", the name `label` in the template); empty: nothing.
  PromptEncoder(const std::string& template_file, const Tokenizer& tokenizer, std::string attributes = {});
  ~PromptEncoder();
  // Throws ConfigError for a conversation when there is no template.
  std::vector<std::int32_t> operator()(const Record& record) const;

 private:
  const Tokenizer& tokenizer_;
  std::string attributes_;
  std::unique_ptr<const struct ChatTemplates> templates_;  // nullptr: none
};

}  // namespace attune
