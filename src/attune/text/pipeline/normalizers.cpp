#include "attune/text/pipeline/normalizers.h"

#include <algorithm>

namespace attune::normalizers {
namespace {

// One character after the other: `change` keeps it, puts something in its place, or leaves it out.
template <class Change>
MappedText by_character(const MappedText& text, Change change) {
  TextEdit edit(text);
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text.text(), at);
    change(edit, c.value, at, at + c.size);
    at += c.size;
  }
  return edit.finish();
}

template <class Remove>
MappedText without(MappedText text, Remove remove) {
  return by_character(text, [&](TextEdit& edit, char32_t c, std::size_t begin, std::size_t end) {
    if (!remove(c)) edit.keep(begin, end);
  });
}

MappedText lowered(const MappedText& text) {
  return by_character(text, [](TextEdit& edit, char32_t c, std::size_t begin, std::size_t end) {
    edit.put(lower_case_of(c), begin, end);
  });
}

MappedText normal_form(MappedText text, NormalForm form) {
  const Normalized normalized = normalize(text.text(), form);
  if (normalized.pieces.empty()) return text;
  TextEdit edit(text);
  for (const NormalizedPiece& piece : normalized.pieces) {
    if (piece.changed) {
      edit.put(std::string_view(normalized.text).substr(piece.begin, piece.end - piece.begin), piece.source_begin,
               piece.source_end);
    } else {
      edit.keep(piece.source_begin, piece.source_end);
    }
  }
  return edit.finish();
}

bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

MappedText cleaned(const MappedText& text) {
  return by_character(text, [](TextEdit& edit, char32_t c, std::size_t begin, std::size_t end) {
    if (is_removed_by_bert(c)) return;  // some blanks too
    if (is_blank(c)) {
      edit.put(" ", begin, end);
    } else {
      edit.keep(begin, end);
    }
  });
}

MappedText chinese_apart(const MappedText& text) {
  return by_character(text, [](TextEdit& edit, char32_t c, std::size_t begin, std::size_t end) {
    if (is_chinese(c)) edit.put(" ", begin, end);
    edit.keep(begin, end);
    if (is_chinese(c)) edit.put(" ", begin, end);
  });
}

bool removed_by_nmt(char32_t c) {
  return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}
bool blank_to_nmt(char32_t c) {
  return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
         c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

}  // namespace

Step form(NormalForm form) {
  return [form](MappedText text) { return normal_form(std::move(text), form); };
}

Step lowercase() { return lowered; }

Step strip_accents() {
  return [](MappedText text) { return without(std::move(text), is_accent); };
}

Step strip(bool left, bool right) {
  return [=](MappedText text) {
    std::size_t begin = 0, end = text.size();
    while (left && begin < end && is_blank(code_point_at(text.text(), begin).value))
      begin += code_point_at(text.text(), begin).size;
    while (right && end > begin && is_blank(code_point_before(text.text(), end).value))
      end -= code_point_before(text.text(), end).size;
    if (begin == 0 && end == text.size()) return text;
    TextEdit edit(text);
    edit.keep(begin, end);
    return edit.finish();
  };
}

Step replace(Pattern pattern, std::string with) {
  return [pattern = std::move(pattern), with = std::move(with)](MappedText text) {
    const std::vector<ByteSpan> matches = matches_of(pattern, text.text());
    if (matches.empty()) return text;
    TextEdit edit(text);
    std::size_t from = 0;
    for (const ByteSpan& match : matches) {
      edit.keep(from, match.begin);
      edit.put(with, match.begin, match.end);
      from = match.end;
    }
    edit.keep(from, text.size());
    return edit.finish();
  };
}

Step prepend(std::string what) {
  return [what = std::move(what)](MappedText text) {
    if (text.size() == 0) return text;
    TextEdit edit(text);
    edit.put(what, 0, code_point_at(text.text(), 0).size);
    edit.keep(0, text.size());
    return edit.finish();
  };
}

Step nmt() {
  return [](MappedText text) {
    return by_character(text, [](TextEdit& edit, char32_t c, std::size_t begin, std::size_t end) {
      if (removed_by_nmt(c)) return;
      if (blank_to_nmt(c)) {
        edit.put(" ", begin, end);
      } else {
        edit.keep(begin, end);
      }
    });
  };
}

Step bert(const Bert& options) {
  return [options](MappedText text) {
    if (options.clean_text) text = cleaned(text);
    if (options.handle_chinese_chars) text = chinese_apart(text);
    if (options.strip_accents.value_or(options.lowercase))
      text = without(normal_form(std::move(text), NormalForm::nfd), is_bert_accent);
    if (options.lowercase) text = lowered(text);
    return text;
  };
}

}  // namespace attune::normalizers
