// Exact match with the reference answer, as it stands or after the usual normalisation.
#include "attune/config/fields.h"
#include "attune/text/unicode.h"
#include "attune/verifiers/text_answers.h"
#include "attune/verifiers/verifier.h"

namespace attune::verifiers {
namespace {

class ExactMatch final : public Verifier {
  bool ignore_case_ = false, ignore_punctuation_ = false, ignore_articles_ = false;
  std::vector<std::string> markers_ = {};

  // Words joined by one blank each.
  std::string normalised(std::string_view text) const {
    std::string folded = ignore_case_ ? lower_case(text) : std::string(text);
    std::string result, word;
    const auto finish = [&] {
      const bool article = ignore_articles_ && (word == "a" || word == "an" || word == "the");
      if (!word.empty() && !article) result += (result.empty() ? "" : " ") + word;
      word.clear();
    };
    for (std::size_t at = 0; at < folded.size();) {
      const CodePoint point = code_point_at(folded, at);
      if (is_python_space(point.value)) {
        finish();
      } else if (!ignore_punctuation_ || !is_punctuation(point.value)) {
        word.append(folded, at, point.size);
      }
      at += point.size;
    }
    finish();
    return result;
  }

 public:
  void describe(Fields& fields) {
    fields("ignore_case", ignore_case_, "compare in lower case");
    fields("ignore_punctuation", ignore_punctuation_, "leave punctuation out of both sides");
    fields("ignore_articles", ignore_articles_, "leave out a, an and the, as SQuAD does");
    fields("markers", markers_, "compare what stands behind the last of these; without one in the answer, all of it");
  }

  Verification verify(const Sample& sample) const override {
    require_reference(sample);
    const std::string answer = normalised(behind_marker(sample.answer, markers_).value_or(sample.answer));
    const bool equal = answer == normalised(behind_marker(sample.reference, markers_).value_or(sample.reference));
    return {equal ? 1.0 : 0.0, equal ? "equal" : "different"};
  }
};

}  // namespace

ATTUNE_PART(Verifier, exact_match, ExactMatch, .summary = "whether an answer is the reference, blanks at most apart",
            .formula = "[normalised(answer) = normalised(reference)]",
            .paper = "Rajpurkar et al. 2016, SQuAD, arXiv 1606.05250");

}  // namespace attune::verifiers
