// Tokens added beside the vocabulary (special tokens among them): found in a text before it is split into words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

struct AddedToken {
  std::int32_t id = 0;
  std::string content = {};
  bool special = false;      // left out by decode(skip_special)
  bool single_word = false;  // only where no word character touches it
  bool lstrip = false;       // takes the blanks before it
  bool rstrip = false;       // takes the blanks behind it
  bool normalized = false;   // found in the normalized text rather than in the text as given
};

// Whose bytes a stretch of text is made of. Control tokens are only ever recognised where the author of the text had
// the right to write them: a user who types <|im_end|> gets these ten characters.
enum class Origin : std::uint8_t {
  trusted,    // a template's own text, or text whose caller vouches for it
  assistant,  // what an assistant wrote: may use tokens such as <think>, which are added but not special
  untrusted,  // users, tools, documents: plain text only
};

// Bytes [begin, end) of a text.
struct OriginSpan {
  std::size_t begin = 0, end = 0;
  Origin origin = Origin::trusted;
  bool operator==(const OriginSpan&) const = default;
};

// Bytes [begin, end) of a text that became one added token.
struct AddedTokenMatch {
  std::size_t begin = 0, end = 0;
  const AddedToken* token = nullptr;
};

// Finds tokens of one set in a text: at each place the longest one, from left to right, in one pass over a trie.
class AddedTokenFinder {
 public:
  AddedTokenFinder() = default;
  // `patterns`: how each token is spelt in the searched text. The tokens must outlive the finder.
  void add(std::string_view pattern, const AddedToken& token);
  bool empty() const { return nodes_.size() == 1; }

  // `allowed(token, begin, end)` says whether this token may stand there.
  template <class Allowed>
  std::vector<AddedTokenMatch> find(std::string_view text, Allowed allowed) const;

 private:
  struct Node {
    std::int32_t child = -1, sibling = -1;  // children as a list: tries are small, and only the root is wide
    unsigned char byte = 0;
    const AddedToken* token = nullptr;
  };
  std::int32_t step(std::int32_t node, unsigned char byte) const {
    std::int32_t at = nodes_[static_cast<std::size_t>(node)].child;
    while (at >= 0 && nodes_[static_cast<std::size_t>(at)].byte != byte)
      at = nodes_[static_cast<std::size_t>(at)].sibling;
    return at;
  }
  // The next place from `at` on where a token may begin. Mostly all tokens begin with '<'.
  std::size_t next_first(std::string_view text, std::size_t at) const {
    if (only_first_) return std::min(text.find(*only_first_, at), text.size());
    while (at < text.size() && !first_[static_cast<unsigned char>(text[at])]) ++at;
    return at;
  }
  template <class Allowed>
  AddedTokenMatch longest(std::string_view text, std::size_t at, Allowed allowed) const;
  static bool fits(std::string_view text, const AddedTokenMatch& match);
  static void strip(std::string_view text, std::size_t from, AddedTokenMatch& match);

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<bool> first_ = std::vector<bool>(256);  // bytes that begin a token
  std::optional<char> only_first_ = {};               // when they are all the same
};

template <class Allowed>
AddedTokenMatch AddedTokenFinder::longest(std::string_view text, std::size_t at, Allowed allowed) const {
  AddedTokenMatch best = {at, at, nullptr};
  std::int32_t node = 0;
  for (std::size_t end = at; end < text.size();) {
    node = step(node, static_cast<unsigned char>(text[end]));
    if (node < 0) break;
    ++end;
    const AddedToken* token = nodes_[static_cast<std::size_t>(node)].token;
    if (token && allowed(*token, at, end)) best = {at, end, token};
  }
  return best;
}

template <class Allowed>
std::vector<AddedTokenMatch> AddedTokenFinder::find(std::string_view text, Allowed allowed) const {
  std::vector<AddedTokenMatch> matches;
  std::size_t from = 0;  // behind the last match with its blanks
  for (std::size_t at = next_first(text, 0); at < text.size(); at = next_first(text, at)) {
    AddedTokenMatch match = longest(text, at, allowed);
    if (!match.token) {
      ++at;
      continue;
    }
    at = match.end;
    if (!fits(text, match)) continue;
    strip(text, from, match);
    from = at = match.end;
    matches.push_back(match);
  }
  return matches;
}

}  // namespace attune
