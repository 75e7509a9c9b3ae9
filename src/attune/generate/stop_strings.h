// Finds stop strings in a text that grows token by token.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace attune {

class StopStrings {
 public:
  using Decode = std::function<std::string(std::span<const std::int32_t>)>;

  // `stops`: none empty. Both must outlive it.
  StopStrings(const std::vector<std::string>& stops, const Decode& decode) : stops_(stops), decode_(decode) {}

  // Whether a stop string is in the text of these ids: those of the last call, and one more. Each token is decoded
  // once, or a few times in the middle of a character.
  bool found(std::span<const std::int32_t> ids);

  // Up to where the first stop string begins. Only once found() said true.
  std::string text_before() const { return text_.substr(0, begin_); }

 private:
  const std::vector<std::string>& stops_;
  const Decode& decode_;
  std::string text_;            // of the ids so far
  std::size_t whole_text_ = 0;  // bytes of text_ that later ids cannot change ...
  std::size_t whole_ids_ = 0;   // ... and the ids that wrote them
  std::size_t begin_ = 0;
};

}  // namespace attune
