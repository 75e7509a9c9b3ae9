// What stands beside tokenizer.json in a model folder: the roles of special tokens, and chat templates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/files.h"
#include "attune/text/added_tokens.h"

namespace attune {

// "bos_token" -> "<s>", in the order of the files; roles without a token are not there.
using SpecialTokens = std::vector<std::pair<std::string, std::string>>;

struct NamedTemplate {
  std::string name = {};  // "default", "tool_use", ...
  std::string text = {};
  std::string file = {};  // where it stands, for messages
};

struct TokenizerSettings {
  SpecialTokens special = {};
  std::vector<AddedToken> added = {};  // of added_tokens_decoder
  std::vector<NamedTemplate> templates = {};
  std::vector<std::int32_t> stop_ids = {};  // eos_token_id of generation_config.json
  bool any_file = false;                    // tokenizer_config.json or special_tokens_map.json is there
  // What a SentencePiece model needs to be told: see files/sentence_pieces.h.
  bool legacy = false;
  std::optional<bool> add_bos = {}, add_eos = {};
  std::string tokenizer_class = {};
};

// Reads, as transformers does: chat_template.jinja and additional_chat_templates/ before tokenizer_config.json's own
// "chat_template"; tokenizer_config.json before special_tokens_map.json. Files may be absent. Throws FormatError.
TokenizerSettings read_tokenizer_settings(const Path& folder);

}  // namespace attune
