#include "attune/data/degrade.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace attune {
namespace {

struct Word {
  std::size_t begin = 0, end = 0;  // with the blank in front of it
  std::size_t letters = 0;
};

// Letters are ASCII letters and digits and every byte of other characters: blanks and ASCII punctuation divide words.
bool is_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0;
}

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_letter(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_letter(text[end])) ++end;
    const std::size_t begin = i > 0 && text[i - 1] == ' ' ? i - 1 : i;
    words.push_back({begin, end, end - i});
    i = end;
  }
  return words;
}

}  // namespace

std::string without_key_content(std::string_view text, double share) {
  std::vector<Word> words = words_of(text);
  const auto taken = static_cast<std::size_t>(std::floor(share * static_cast<double>(words.size())));
  std::stable_sort(words.begin(), words.end(), [](const Word& a, const Word& b) { return a.letters > b.letters; });
  words.resize(taken);
  std::sort(words.begin(), words.end(), [](const Word& a, const Word& b) { return a.begin < b.begin; });
  std::string result;
  std::size_t from = 0;
  for (const Word& word : words) {
    result += text.substr(from, word.begin - from);
    from = word.end;
  }
  return result + std::string(text.substr(from));
}

void add_degrees(Record& record, int levels) {
  std::set<std::int32_t> compared;
  for (const Pair& pair : pairs(record)) compared.insert({pair.chosen, pair.rejected});
  for (const std::int32_t index : compared) {
    const Completion whole = record.completions[static_cast<std::size_t>(index)];
    const Node& node = record.nodes[static_cast<std::size_t>(whole.last)];
    if (node.parent != whole.after) continue;
    const auto label = [&](std::int32_t completion, int degree) {
      record.feedback.push_back({.what = Label{"degree", std::to_string(degree)}, .on = {.completion = completion}});
    };
    label(index, 0);
    const std::string text = text_of(node.message);
    std::string last = text;
    for (int level = 1; level <= levels; ++level) {
      std::string less = without_key_content(text, static_cast<double>(level) / (levels + 1));
      if (less == last || less.empty()) continue;
      Node variant{.parent = whole.after,
                   .message = {.role = record.nodes[static_cast<std::size_t>(whole.last)].message.role}};
      variant.message.content.push_back({.text = less});
      record.nodes.push_back(std::move(variant));
      record.completions.push_back({whole.after, static_cast<std::int32_t>(record.nodes.size()) - 1});
      label(static_cast<std::int32_t>(record.completions.size()) - 1, level);
      last = std::move(less);
    }
  }
}

}  // namespace attune
