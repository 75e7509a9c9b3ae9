// From a piece of text to tokens: what all vocabularies' algorithms have in common.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace attune {

struct ModelToken {
  std::int32_t id = 0;
  std::uint32_t begin = 0, end = 0;  // bytes of the piece
};

class SubwordModel {
 public:
  virtual ~SubwordModel() = default;
  // Appends the tokens of one piece, which is not empty. Many threads at once may do so.
  virtual void encode(std::string_view piece, std::vector<ModelToken>& tokens) const = 0;
  // Where the part of `piece` that begins at `at` ends which has the same tokens alone: short parts are remembered.
  virtual std::size_t part_end(std::string_view piece, std::size_t at) const {
    (void)at;
    return piece.size();
  }
};

}  // namespace attune
