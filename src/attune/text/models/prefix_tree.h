// Which of a set of byte strings begin a text: a trie with the children of a node side by side, in order.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

class PrefixTree {
 public:
  struct Entry {
    std::string_view text = {};
    std::int32_t value = 0;
  };
  PrefixTree() = default;
  explicit PrefixTree(std::vector<Entry> entries);  // of equal texts the last one counts; empty ones are left out

  // found(bytes, value) for every entry that `text` begins with, the shortest first.
  template <class Found>
  void prefixes(std::string_view text, Found found) const {
    if (text.empty() || nodes_.empty()) return;
    std::int32_t at = roots_[static_cast<unsigned char>(text[0])];
    for (std::size_t i = 1; at >= 0; ++i) {
      const Node& node = nodes_[static_cast<std::size_t>(at)];
      if (node.value != none) found(i, node.value);
      if (i == text.size()) return;
      at = child(node, static_cast<unsigned char>(text[i]));
    }
  }
  bool empty() const { return nodes_.empty(); }

 private:
  static constexpr std::int32_t none = -1;
  struct Node {
    std::int32_t first_child = 0;
    std::int32_t value = none;
    std::uint16_t children = 0;
    unsigned char byte = 0;
  };
  std::int32_t child(const Node& node, unsigned char byte) const {
    const auto begin = nodes_.begin() + node.first_child, end = begin + node.children;
    const auto found =
        std::lower_bound(begin, end, byte, [](const Node& one, unsigned char b) { return one.byte < b; });
    return found != end && found->byte == byte ? static_cast<std::int32_t>(found - nodes_.begin()) : none;
  }

  std::vector<Node> nodes_;
  std::array<std::int32_t, 256> roots_ = {};
};

}  // namespace attune
