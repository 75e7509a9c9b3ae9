// Byte-pair encoding over bytes as a model of the general pipeline.
#pragma once

#include "attune/text/bpe.h"
#include "attune/text/models/subword_model.h"
#include "attune/text/token_texts.h"

namespace attune {

class ByteBpe final : public SubwordModel {
 public:
  ByteBpe(Bpe bpe, std::span<const Bpe::Entry> vocabulary) : bpe_(std::move(bpe)) {
    for (const Bpe::Entry& entry : vocabulary) texts_.add(entry.id, entry.bytes);
  }

  void encode(std::string_view piece, std::vector<ModelToken>& tokens) const override {
    std::vector<std::int32_t> ids;
    bpe_.encode(piece, ids);
    std::uint32_t at = 0;
    for (const std::int32_t id : ids) {
      const auto size = static_cast<std::uint32_t>(texts_[id].size());
      tokens.push_back({id, at, at + size});
      at += size;
    }
  }

 private:
  Bpe bpe_;
  TokenTexts texts_;
};

}  // namespace attune
