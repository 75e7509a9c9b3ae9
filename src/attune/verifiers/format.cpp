// Whether an answer is built of the sections it should have, each once, in order, and of nothing else.
#include "attune/base/errors.h"
#include "attune/config/fields.h"
#include "attune/verifiers/text_answers.h"
#include "attune/verifiers/verifier.h"

namespace attune::verifiers {
namespace {

class Format final : public Verifier {
  std::vector<std::string> tags_ = {"think", "answer"};
  bool only_ = true, may_be_empty_ = false;

  static std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
    return found;
  }

 public:
  void describe(Fields& fields) {
    fields("tags", tags_, "the sections <tag>...</tag>, in order");
    fields("only", only_, "nothing but blanks outside of them");
    fields("may_be_empty", may_be_empty_, "a section may hold nothing but blanks");
  }

  void prepare() override {
    for (const std::string& tag : tags_) {
      if (tag.empty()) throw ConfigError({.field = "tags"}, "an empty name", "names of sections");
    }
    if (tags_.empty()) throw ConfigError({.field = "tags"}, "none", "at least one");
  }

  Verification verify(const Sample& sample) const override {
    std::string_view rest = sample.answer;
    for (const std::string& tag : tags_) {
      const std::string open = "<" + tag + ">", close = "</" + tag + ">";
      if (count(sample.answer, open) != 1 || count(sample.answer, close) != 1) return {0, "not one section " + tag};
      const std::size_t begin = rest.find(open), end = rest.find(close);
      if (begin == rest.npos || end == rest.npos || end < begin) return {0, "the section " + tag + " out of order"};
      if (only_ && !trimmed(rest.substr(0, begin)).empty()) return {0, "text before the section " + tag};
      const std::size_t inside = begin + open.size();
      if (!may_be_empty_ && trimmed(rest.substr(inside, end - inside)).empty()) return {0, "an empty section " + tag};
      rest.remove_prefix(end + close.size());
    }
    if (only_ && !trimmed(rest).empty()) return {0, "text behind the last section"};
    return {1, "all sections"};
  }
};

}  // namespace

ATTUNE_PART(Verifier, format, Format,
            .summary = "whether an answer has its sections (<think>, <answer>) once and in order",
            .formula = "[each <tag>...</tag> once, in order, nothing outside]",
            .paper = "DeepSeek-AI 2025, DeepSeek-R1, arXiv 2501.12948 (format reward)");

}  // namespace attune::verifiers
