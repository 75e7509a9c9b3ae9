#include "attune/text/pre_tokenizer.h"

#include "attune/text/word_starts.h"

namespace attune {
namespace {

constexpr std::size_t window_size = std::size_t{4} << 10;

constexpr std::string_view llama3_text =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen2_text =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::optional<WordPattern> known_pattern(std::string_view regular_expression) {
  if (regular_expression == llama3_text) return WordPattern::llama3;
  if (regular_expression == qwen2_text) return WordPattern::qwen2;
  return std::nullopt;
}

std::string_view pattern_text(WordPattern pattern) {
  return pattern == WordPattern::llama3 ? llama3_text : pattern == WordPattern::qwen2 ? qwen2_text : std::string_view();
}

bool Words::open_window() {
  if (rest_.empty()) return false;
  begin_ = block_ = starts_left_ = 0;
  if (pattern_ == WordPattern::everything) {
    window_ = rest_;
    starts_.clear();
    rest_ = {};
    return true;
  }
  for (std::size_t wanted = window_size;; wanted *= 2) {
    std::size_t size = std::min(wanted, rest_.size());
    while (size < rest_.size() && continues_character(rest_[size])) ++size;
    classes_.resize((size + ByteClasses::size - 1) / ByteClasses::size);
    classify_bytes(rest_.substr(0, size), classes_);
    const std::size_t cut = size < rest_.size() ? last_safe_cut(classes_) : size;
    if (cut == 0) continue;
    window_ = rest_.substr(0, cut);
    break;
  }
  classes_.resize((window_.size() + ByteClasses::size - 1) / ByteClasses::size);
  classes_.back().cut(window_.size() - (classes_.size() - 1) * ByteClasses::size);
  starts_.resize(classes_.size());
  find_word_starts(window_, classes_, pattern_, starts_);
  starts_left_ = starts_.front() & ~std::uint64_t{1};
  rest_.remove_prefix(window_.size());
  return true;
}

}  // namespace attune
