// A family from its block: everything around the blocks is the same for all decoders up to names and a few numbers of
// the config.
//
// A Block has
//   static Outline outline();                                  what stands around it
//   Block(const Weights& weights, std::int64_t layer);         declares or binds its weights
//   Residual operator()(std::size_t layer, const Residual& x, const BlockContext& context) const;
//   std::vector<Linear*> linears();                            the matrices adapters go to, in storage order
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attune/model/families.h"
#include "attune/model/families/weights.h"

namespace attune::families {

struct Outline {
  std::string embedding = "model.embed_tokens";
  std::string positions = {};        // of learned positions; empty: none
  std::int64_t position_offset = 0;  // rows of that table before position 0
  std::string blocks = "model.layers.";
  std::string norm = "model.norm";
  NormKind norm_kind = NormKind::rms;
  bool norm_bias = false;
  std::string head = "lm_head";
  bool head_bias = false;
  std::vector<std::string> targets = {"q_proj", "v_proj"};  // where adapters go by default, as in PEFT
};

// Token embeddings times a scale, plus learned positions where there are some.
struct Embedding {
  Embedding(const Weights& weights, const Outline& outline);
  // Of `table` where that is defined, instead of the tokens' own.
  Tensor operator()(const Tensor& ids, const Tensor& at, const Tensor& table) const;

  Tensor tokens, positions;
  std::int64_t offset = 0;
  double scale = 1;
};

// The language model's head, or a classifier's score head, and its name.
std::string head_path(const ModelConfig& config, const Outline& outline);
Head head_of(const Weights& weights, const Outline& outline, const Embedding& embedding);

template <class Block>
class BlockFamily final : public Family {
 public:
  explicit BlockFamily(const Weights& weights)
      : outline_(Block::outline()),
        embedding_(weights, outline_),
        blocks_(make_blocks(weights, outline_)),
        head_path_(families::head_path(weights.config(), outline_)),
        norm_(weights.norm(outline_.norm_kind, outline_.norm, weights.config().width, outline_.norm_bias)),
        head_(head_of(weights, outline_, embedding_)) {}

  Tensor embed(const Tensor& ids, const Tensor& positions, const Tensor& table) const override {
    return embedding_(ids, positions, table);
  }
  Residual block(std::size_t layer, const Residual& x, const BlockContext& context) const override {
    return blocks_[layer](layer, x, context);
  }
  Tensor norm(const Residual& x) const override { return norm_(x).normed; }
  const Head& head() const override { return head_; }
  std::vector<Linear*> linears() override {
    std::vector<Linear*> all;
    for (Block& block : blocks_) {
      for (Linear* linear : block.linears()) all.push_back(linear);
    }
    return all;
  }
  std::vector<std::string> default_targets() const override { return outline_.targets; }
  std::string embedding_path() const override { return outline_.embedding; }
  std::string head_path() const override { return head_path_; }
  bool uses_rotary() const override { return outline_.positions.empty(); }

 private:
  static std::vector<Block> make_blocks(const Weights& weights, const Outline& outline) {
    std::vector<Block> blocks;
    for (std::int64_t layer = 0; layer < weights.config().layers; ++layer) {
      blocks.emplace_back(weights.in(outline.blocks + std::to_string(layer) + "."), layer);
    }
    return blocks;
  }

  Outline outline_;
  Embedding embedding_;
  std::vector<Block> blocks_;
  std::string head_path_;
  Norm norm_;
  Head head_;
};

// Completes a row by what follows from the block.
template <class Block>
constexpr FamilyRow family_row(FamilyRow row) {
  row.parameters = [](const ModelConfig& config) {
    const Weights weights(config);
    const BlockFamily<Block> family(weights);
    return weights.declared();
  };
  row.bind = [](const ModelConfig& config, const Parameters& parameters) -> std::unique_ptr<Family> {
    return std::make_unique<BlockFamily<Block>>(Weights(config, parameters));
  };
  return row;
}

}  // namespace attune::families
