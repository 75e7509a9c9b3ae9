// SentencePiece's compiled normalization rules ("precompiled_charsmap"): a double-array trie over byte strings (Aoe
// 1989, in the layout of darts-clone) and the texts that they become.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/errors.h"
#include "attune/text/pipeline/normalizers.h"

namespace attune {

class PrecompiledMap {
 public:
  // `bytes`: the size of the trie, the trie, texts that end in zero bytes. Throws FormatError at `where`.
  PrecompiledMap(std::string_view bytes, const Where& where);

  struct Match {
    std::size_t size = 0;  // bytes of the source
    std::string_view to = {};
  };
  std::optional<Match> longest(std::string_view text) const;  // rule for a beginning of `text`
  std::optional<Match> shortest(std::string_view text) const;

 private:
  template <class Found>
  void walk(std::string_view text, Found found) const;
  std::string_view text_at(std::uint32_t offset) const;

  std::vector<std::uint32_t> units_;
  std::string texts_;
};

namespace normalizers {
// As the `tokenizers` package applies the rules, which is by user-perceived characters.
Step precompiled(PrecompiledMap map);
}  // namespace normalizers

}  // namespace attune
