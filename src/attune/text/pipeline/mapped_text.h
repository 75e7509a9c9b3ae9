// A text that is rewritten step by step and still knows which bytes of the text given each of its bytes stands for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/text/encoding.h"

namespace attune {

class MappedText {
 public:
  // `tracked`: whether sources are wanted; without them rewriting costs less. `at_start`: whether this is the
  // beginning of the whole text given, and no rest behind an added token.
  MappedText(std::string text, bool tracked, bool at_start);

  std::string_view text() const { return text_; }
  std::size_t size() const { return text_.size(); }
  bool at_start() const { return head_ > 0; }  // the first byte stands for (a part of) the very first character
  // The bytes that [begin, end) stands for; of an empty range an empty one. {0, 0} when not tracked.
  ByteSpan source(std::size_t begin, std::size_t end) const;
  MappedText part(std::size_t begin, std::size_t end) const;

 private:
  struct Source {
    std::uint32_t begin = 0, end = 0;
  };
  Source source_of(std::size_t at) const;

  std::string text_;
  std::vector<Source> sources_ = {};  // one a byte; empty while every byte stands for itself
  bool tracked_ = false;
  std::size_t head_ = 0;  // bytes that stand for the first character of all
  friend class TextEdit;
};

// Writes the next version of a text, from front to back.
class TextEdit {
 public:
  explicit TextEdit(const MappedText& from);
  void keep(std::size_t begin, std::size_t end);                         // bytes as they are
  void put(std::string_view bytes, std::size_t begin, std::size_t end);  // new bytes that stand for [begin, end)
  std::size_t size() const { return to_.text_.size(); }                  // written so far
  MappedText finish() { return std::move(to_); }

 private:
  const MappedText& from_;
  MappedText to_;
};

}  // namespace attune
