// The general way of a text to tokens and back: steps that rewrite it, steps that split it, a model, steps that put
// tokens together again. The usual byte-level tokenizers do not come here: encoder.h has a faster way for them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "attune/text/models/subword_model.h"
#include "attune/text/pipeline/decoders.h"
#include "attune/text/pipeline/normalizers.h"
#include "attune/text/pipeline/splitters.h"

namespace attune {

struct Pipeline {
  std::vector<normalizers::Step> normalizer = {};
  std::vector<splitters::Step> splitter = {};
  std::unique_ptr<const SubwordModel> model = {};
  // Of spellings. Empty when the tokens' texts are the bytes that they stand for.
  std::vector<decoders::Step> decoder = {};

  MappedText normalized(MappedText text) const;
  // Appends ids, and spans in the source when `spans` is given. `serial` names the tokenizer in the word caches.
  void encode(MappedText text, std::uint64_t serial, std::vector<std::int32_t>& ids,
              std::vector<ByteSpan>* spans) const;
  std::string decode(std::vector<std::string> spellings) const;
};

}  // namespace attune
