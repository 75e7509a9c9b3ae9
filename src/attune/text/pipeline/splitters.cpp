#include "attune/text/pipeline/splitters.h"

#include <algorithm>
#include <array>

#include "attune/text/byte_level.h"
#include "attune/text/pre_tokenizer.h"
#include "attune/text/unicode.h"

namespace attune::splitters {
namespace {

struct Part {
  std::size_t begin = 0, end = 0;
  bool is_match = false;
};

// A match takes its neighbour before it in (once: the second of two matches stands alone).
std::vector<Part> merged_backwards(const std::vector<Part>& parts) {
  std::vector<Part> result;
  bool after_match = false;
  for (const Part& part : parts) {
    if (part.is_match && !after_match && !result.empty()) {
      result.back().end = part.end;
    } else {
      result.push_back(part);
    }
    after_match = part.is_match;
  }
  return result;
}

std::vector<Part> merged_forwards(const std::vector<Part>& parts) {
  std::vector<Part> result;
  bool before_match = false;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->is_match && !before_match && !result.empty()) {
      result.back().begin = part->begin;
    } else {
      result.push_back(*part);
    }
    before_match = part->is_match;
  }
  std::reverse(result.begin(), result.end());
  return result;
}

std::vector<Part> contiguous(const std::vector<Part>& parts) {
  std::vector<Part> result;
  bool after_match = false;
  for (const Part& part : parts) {
    if (part.is_match == after_match && !result.empty()) {
      result.back().end = part.end;
    } else {
      result.push_back(part);
    }
    after_match = part.is_match;
  }
  return result;
}

std::vector<Part> behaved(std::vector<Part> parts, Behavior behavior) {
  switch (behavior) {
    case Behavior::removed:
      std::erase_if(parts, [](const Part& part) { return part.is_match; });
      return parts;
    case Behavior::isolated:
      return parts;
    case Behavior::merged_with_previous:
      return merged_backwards(parts);
    case Behavior::merged_with_next:
      return merged_forwards(parts);
    case Behavior::contiguous:
      return contiguous(parts);
  }
  return parts;
}

// Splits every piece at the matches that `find(text)` gives.
template <class Find>
void split_pieces(Pieces& all, Behavior behavior, bool invert, Find find) {
  std::vector<ByteSpan> result;
  std::vector<Part> parts;
  for (const ByteSpan& piece : all.pieces) {
    const std::string_view text = all.text.text().substr(piece.begin, piece.end - piece.begin);
    parts.clear();
    std::size_t from = 0;
    for (const ByteSpan& match : find(text)) {
      if (match.begin > from) parts.push_back({from, match.begin, invert});
      parts.push_back({match.begin, match.end, !invert});
      from = match.end;
    }
    if (from < text.size()) parts.push_back({from, text.size(), invert});
    for (const Part& part : behaved(parts, behavior)) {
      if (part.end > part.begin) result.push_back({piece.begin + part.begin, piece.begin + part.end});
    }
  }
  all.pieces = std::move(result);
}

template <class Chosen>
Step at_characters(Chosen chosen, Behavior behavior) {
  return [=](Pieces& all) {
    split_pieces(all, behavior, false, [&](std::string_view text) {
      std::vector<ByteSpan> matches;
      for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        if (chosen(c.value)) matches.push_back({at, at + c.size});
        at += c.size;
      }
      return matches;
    });
  };
}

std::vector<ByteSpan> word_runs(std::string_view text) {
  std::vector<ByteSpan> runs;
  int kind_before = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    const int kind = is_blank(c.value) ? 0 : is_word(c.value) ? 1 : 2;
    if (kind != 0 && kind == kind_before) {
      runs.back().end = at + c.size;
    } else if (kind != 0) {
      runs.push_back({at, at + c.size});
    }
    kind_before = kind;
    at += c.size;
  }
  return runs;
}

// Writes every piece anew; what is in none goes.
template <class Write>
void rewrite(Pieces& all, Write write) {
  TextEdit edit(all.text);
  for (ByteSpan& piece : all.pieces) {
    const std::size_t begin = edit.size();
    write(edit, piece);
    piece = {begin, edit.size()};
  }
  all.text = edit.finish();
}

void put_prefix(TextEdit& edit, const Pieces& all, const ByteSpan& piece, std::string_view prefix) {
  edit.put(prefix, piece.begin, piece.begin + code_point_at(all.text.text(), piece.begin).size);
}

std::vector<ByteSpan> gpt2_words(std::string_view text) {
  std::vector<ByteSpan> spans;
  Words words(text, WordPattern::gpt2);
  for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
    const auto begin = static_cast<std::size_t>(word.data() - text.data());
    spans.push_back({begin, begin + word.size()});
  }
  return spans;
}

void to_byte_characters(Pieces& all) {
  static const auto characters = [] {
    std::array<std::string, 256> table;
    for (std::size_t i = 0; i < 256; ++i)
      table[i] = byte_characters(std::string(1, static_cast<char>(static_cast<unsigned char>(i))));
    return table;
  }();
  rewrite(all, [&](TextEdit& edit, const ByteSpan& piece) {
    for (std::size_t at = piece.begin; at < piece.end; ++at)
      edit.put(characters[static_cast<unsigned char>(all.text.text()[at])], at, at + 1);
  });
}

}  // namespace

Step split(Pattern pattern, Behavior behavior, bool invert) {
  return [=](Pieces& all) {
    split_pieces(all, behavior, invert, [&](std::string_view text) { return matches_of(pattern, text); });
  };
}

Step digits(bool individual) {
  return at_characters(is_number, individual ? Behavior::isolated : Behavior::contiguous);
}

Step punctuation(Behavior behavior) { return at_characters(is_punctuation, behavior); }

Step whitespace() {
  return [](Pieces& all) { split_pieces(all, Behavior::removed, true, word_runs); };
}

Step whitespace_split() { return at_characters(is_blank, Behavior::removed); }

Step delimiter(char32_t character) {
  return at_characters([character](char32_t c) { return c == character; }, Behavior::removed);
}

Step bert() {
  return [blanks = whitespace_split(), signs = punctuation(Behavior::isolated)](Pieces& all) {
    blanks(all);
    signs(all);
  };
}

Step metaspace(std::string replacement, Prefix prefix, bool split) {
  return [=](Pieces& all) {
    rewrite(all, [&](TextEdit& edit, const ByteSpan& piece) {
      const std::string_view text = all.text.text().substr(piece.begin, piece.end - piece.begin);
      const bool begun = text.starts_with(' ') || text.starts_with(replacement);
      const bool wanted =
          prefix == Prefix::always || (prefix == Prefix::first && piece.begin == 0 && all.text.at_start());
      if (wanted && !begun) put_prefix(edit, all, piece, replacement);
      std::size_t from = piece.begin;
      for (std::size_t at = text.find(' '); at != text.npos; at = text.find(' ', at + 1)) {
        edit.keep(from, piece.begin + at);
        from = piece.begin + at + 1;
        edit.put(replacement, from - 1, from);
      }
      edit.keep(from, piece.end);
    });
    if (!split) return;
    split_pieces(all, Behavior::merged_with_next, false,
                 [&](std::string_view text) { return matches_of(replacement, text); });
  };
}

Step byte_level(bool add_prefix_space, bool use_expression, bool as_characters) {
  return [=](Pieces& all) {
    if (add_prefix_space) {
      rewrite(all, [&](TextEdit& edit, const ByteSpan& piece) {
        if (all.text.text()[piece.begin] != ' ') put_prefix(edit, all, piece, " ");
        edit.keep(piece.begin, piece.end);
      });
    }
    if (use_expression) split_pieces(all, Behavior::isolated, false, gpt2_words);
    if (as_characters) to_byte_characters(all);
  };
}

}  // namespace attune::splitters
