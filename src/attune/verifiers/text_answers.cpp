#include "attune/verifiers/text_answers.h"

#include <charconv>

#include "attune/text/unicode.h"

namespace attune {
namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

struct Number {
  double value = 0;
  std::size_t end = 0;
};

// A number that begins at `at`: an optional sign and dollar, digits in groups or not, a fraction.
std::optional<Number> number_at(std::string_view text, std::size_t at) {
  std::string digits;
  const auto next = [&](std::size_t place) { return place < text.size() ? text[place] : '\0'; };
  if (next(at) == '-' && (at == 0 || !is_digit(text[at - 1]))) digits += text[at++];
  if (next(at) == '$') ++at;
  if (!is_digit(next(at)) && !(next(at) == '.' && is_digit(next(at + 1)))) return std::nullopt;
  while (is_digit(next(at)) || (next(at) == ',' && is_digit(next(at + 1)))) {
    if (text[at] != ',') digits += text[at];
    ++at;
  }
  if (next(at) == '.' && is_digit(next(at + 1))) {
    digits += text[at++];
    while (is_digit(next(at))) digits += text[at++];
  }
  Number number{.end = at};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number.value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty()) {
    const CodePoint first = code_point_at(text, 0);
    if (!is_python_space(first.value)) break;
    text.remove_prefix(first.size);
  }
  while (!text.empty()) {
    const CodePoint last = code_point_before(text, text.size());
    if (!is_python_space(last.value)) break;
    text.remove_suffix(last.size);
  }
  return text;
}

std::optional<std::string_view> behind_marker(std::string_view text, const std::vector<std::string>& markers) {
  for (const std::string& marker : markers) {
    const std::size_t place = text.rfind(marker);
    if (place != text.npos) return text.substr(place + marker.size());
  }
  return std::nullopt;
}

std::optional<double> first_number(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (const auto number = number_at(text, at)) return number->value;
  }
  return std::nullopt;
}

std::optional<double> last_number(std::string_view text) {
  std::optional<double> last;
  for (std::size_t at = 0; at < text.size();) {
    const auto number = number_at(text, at);
    if (number) last = number->value;
    at = number ? number->end : at + 1;
  }
  return last;
}

}  // namespace attune
