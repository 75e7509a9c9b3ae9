// The way of one text to token ids: added tokens, then normalization, words and byte pairs, or a pipeline.
#pragma once

#include "attune/text/added_tokens.h"
#include "attune/text/bpe.h"
#include "attune/text/encoding.h"
#include "attune/text/pipeline/pipeline.h"
#include "attune/text/pre_tokenizer.h"
#include "attune/text/token_texts.h"

namespace attune {

struct EncodingParts {
  std::uint64_t serial = 0;                       // tells tokenizers apart in the threads' word caches
  std::shared_ptr<const Pipeline> pipeline = {};  // the general way; null for byte-level BPE as it follows
  Bpe bpe = {};
  PreTokenizer pre_tokenizer = {};
  bool nfc = false;
  AddedTokenFinder raw_finder = {};         // tokens looked for in the text as given
  AddedTokenFinder normalized_finder = {};  // and in the normalized text between them
  TokenTexts texts = {};
};

// `text` must be valid UTF-8. Spans stay empty unless wanted; nothing is put around the text.
Encoding encode_text(const EncodingParts& parts, std::string_view text, const EncodeOptions& options, bool want_spans);

}  // namespace attune
