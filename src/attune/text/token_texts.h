// Token ids and the bytes they stand for, both ways.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "attune/text/flat_map.h"

namespace attune {

class TokenTexts {
 public:
  // The first text given to an id is its text; the first id given to a text is what find() answers.
  void add(std::int32_t id, std::string_view text) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= text_of_id_.size()) text_of_id_.resize(index + 1, StringTable::none);
    const auto [number, fresh] = texts_.insert(text);
    if (fresh) id_of_text_.push_back(id);
    if (text_of_id_[index] == StringTable::none) text_of_id_[index] = number;
  }

  bool has(std::int32_t id) const {
    return id >= 0 && static_cast<std::size_t>(id) < text_of_id_.size() &&
           text_of_id_[static_cast<std::size_t>(id)] != StringTable::none;
  }
  std::string_view operator[](std::int32_t id) const {  // empty for ids without a token
    return has(id) ? texts_[text_of_id_[static_cast<std::size_t>(id)]] : std::string_view();
  }
  std::optional<std::int32_t> find(std::string_view text) const {
    const std::int32_t number = texts_.find(text);
    if (number == StringTable::none) return std::nullopt;
    return id_of_text_[static_cast<std::size_t>(number)];
  }
  std::int32_t size() const { return static_cast<std::int32_t>(text_of_id_.size()); }  // the largest id + 1

 private:
  StringTable texts_;
  std::vector<std::int32_t> id_of_text_;
  std::vector<std::int32_t> text_of_id_;
};

}  // namespace attune
