#include "attune/text/models/prefix_tree.h"

namespace attune {

// Level by level: all entries below a node stand side by side in their order.
PrefixTree::PrefixTree(std::vector<Entry> entries) {
  roots_.fill(none);
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.text < b.text; });
  struct Below {
    std::size_t begin = 0, end = 0, depth = 0;
    std::int32_t node = none;
  };
  std::vector<Below> open = {{0, entries.size(), 0, none}};
  for (std::size_t next = 0; next < open.size(); ++next) {
    const Below below = open[next];
    std::size_t at = below.begin;
    for (; at < below.end && entries[at].text.size() == below.depth; ++at) {
      if (below.node != none) nodes_[static_cast<std::size_t>(below.node)].value = entries[at].value;
    }
    const auto first = static_cast<std::int32_t>(nodes_.size());
    while (at < below.end) {
      const char byte = entries[at].text[below.depth];
      std::size_t end = at;
      while (end < below.end && entries[end].text[below.depth] == byte) ++end;
      const auto node = static_cast<std::int32_t>(nodes_.size());
      nodes_.push_back({.byte = static_cast<unsigned char>(byte)});
      if (below.node == none) roots_[static_cast<unsigned char>(byte)] = node;
      open.push_back({at, end, below.depth + 1, node});
      at = end;
    }
    if (below.node != none) {
      Node& parent = nodes_[static_cast<std::size_t>(below.node)];
      parent.first_child = first;
      parent.children = static_cast<std::uint16_t>(static_cast<std::int32_t>(nodes_.size()) - first);
    }
  }
}

}  // namespace attune
