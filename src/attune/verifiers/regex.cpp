// Whether an answer matches a regular expression.
#include "attune/text/regex/regex.h"

#include "attune/config/fields.h"
#include "attune/text/unicode.h"
#include "attune/verifiers/verifier.h"

namespace attune::verifiers {
namespace {

class RegexVerifier final : public Verifier {
  std::string pattern_ = "";
  bool forbid_ = false, whole_ = false;
  std::optional<Regex> regex_ = {};

 public:
  void describe(Fields& fields) {
    fields("pattern", pattern_, "the expression; ^ and $ are the ends of lines").required();
    fields("whole", whole_, "the match must be the whole answer, not a part of it");
    fields("forbid", forbid_, "1 where it does not match");
  }

  void prepare() override {
    const std::string expression = whole_ ? "\\A(?:" + pattern_ + ")\\z" : pattern_;
    try {
      regex_ = Regex::compile(expression, {.field = "pattern"});
    } catch (const FormatError& error) {
      throw ConfigError(error.problem());
    }
  }

  Verification verify(const Sample& sample) const override {
    require(regex_.has_value(), "a regular expression that was not prepared");
    const std::string text = replace_invalid_utf8(sample.answer);
    const bool matches = RegexSearch(*regex_, text).next().has_value();
    return {matches != forbid_ ? 1.0 : 0.0, matches ? "a match" : "no match"};
  }
};

}  // namespace

ATTUNE_PART(Verifier, regex, RegexVerifier, .summary = "whether an answer matches a regular expression, or does not",
            .formula = "[pattern matches]; time linear in the answer");

}  // namespace attune::verifiers
