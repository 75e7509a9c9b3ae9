// Whether an answer's length lies within bounds, and how far outside.
#include <algorithm>
#include <array>

#include "attune/base/errors.h"
#include "attune/config/fields.h"
#include "attune/text/unicode.h"
#include "attune/verifiers/verifier.h"

namespace attune {

enum class LengthUnit { words, characters, lines };
constexpr auto enum_names(LengthUnit) {
  using Name = std::pair<std::string_view, LengthUnit>;
  return std::array{Name{"words", LengthUnit::words}, Name{"characters", LengthUnit::characters},
                    Name{"lines", LengthUnit::lines}};
}

namespace verifiers {
namespace {

double words_of(std::string_view text) {
  double count = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const bool blank = is_python_space(point.value);
    count += !blank && !inside ? 1 : 0;
    inside = !blank;
    at += point.size;
  }
  return count;
}

double length_of(std::string_view text, LengthUnit unit) {
  if (unit == LengthUnit::words) return words_of(text);
  if (unit == LengthUnit::characters) return static_cast<double>(code_point_count(text));
  if (text.empty()) return 0;
  return static_cast<double>(std::count(text.begin(), text.end(), '\n')) + (text.back() == '\n' ? 0 : 1);
}

class Length final : public Verifier {
  double least_ = 0, most_ = 0, slack_ = 0;
  LengthUnit unit_ = LengthUnit::words;

 public:
  void describe(Fields& fields) {
    fields("least", least_, "the shortest that is right").at_least(0);
    fields("most", most_, "the longest that is right; 0: any").at_least(0);
    fields("slack", slack_, "how far outside the score falls to 0, in a straight line; 0: at once").at_least(0);
    fields("unit", unit_, "words between blanks, characters (code points), or lines");
  }

  void prepare() override {
    if (most_ > 0 && most_ < least_) throw ConfigError({.field = "most"}, "less than least", "at least as much");
  }

  Verification verify(const Sample& sample) const override {
    const double length = length_of(sample.answer, unit_);
    const double outside = length < least_ ? least_ - length : most_ > 0 && length > most_ ? length - most_ : 0;
    if (outside == 0) return {1, "within bounds"};
    return {slack_ > 0 ? std::max(0.0, 1 - outside / slack_) : 0, length < least_ ? "too short" : "too long"};
  }
};

}  // namespace

ATTUNE_PART(Verifier, length, Length, .summary = "whether an answer's length lies within bounds",
            .formula = "1 inside; max(0, 1 - distance / slack) outside");

}  // namespace verifiers
}  // namespace attune
