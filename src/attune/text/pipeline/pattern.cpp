#include "attune/text/pipeline/pattern.h"

namespace attune {

std::vector<ByteSpan> matches_of(const Pattern& pattern, std::string_view text) {
  std::vector<ByteSpan> matches;
  if (const auto* literal = std::get_if<std::string>(&pattern)) {
    if (literal->empty()) return matches;
    for (std::size_t at = text.find(*literal); at != text.npos; at = text.find(*literal, at + literal->size())) {
      matches.push_back({at, at + literal->size()});
    }
    return matches;
  }
  RegexSearch search(std::get<Regex>(pattern), text);
  while (const std::optional<ByteSpan> match = search.next()) matches.push_back(*match);
  return matches;
}

}  // namespace attune
