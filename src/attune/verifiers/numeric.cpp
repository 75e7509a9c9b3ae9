// Numeric answers: the number behind a marker, or the last one, against the reference's.
#include <cmath>

#include "attune/config/fields.h"
#include "attune/verifiers/text_answers.h"
#include "attune/verifiers/verifier.h"

namespace attune::verifiers {
namespace {

class Numeric final : public Verifier {
  std::vector<std::string> markers_ = {"####", "A:"};
  bool last_ = true;
  double tolerance_ = 1e-6;

  std::optional<double> number_of(std::string_view text, bool last) const {
    if (const auto rest = behind_marker(text, markers_)) return first_number(*rest);
    return last ? last_number(text) : std::nullopt;
  }

 public:
  void describe(Fields& fields) {
    fields("markers", markers_, "what stands before the final number; the first of these that occurs counts");
    fields("last", last_, "without a marker, take the last number of the answer");
    fields("tolerance", tolerance_, "of the difference, relative to the reference's size (at least 1)").at_least(0);
  }

  Verification verify(const Sample& sample) const override {
    require_reference(sample);
    const auto expected = number_of(sample.reference, true);
    if (!expected) return {0, "the reference has no number"};
    const auto found = number_of(sample.answer, last_);
    if (!found) return {0, "no number"};
    const bool equal = std::abs(*found - *expected) <= tolerance_ * std::max(1.0, std::abs(*expected));
    return {equal ? 1.0 : 0.0, equal ? "the number of the reference" : "another number"};
  }
};

}  // namespace

ATTUNE_PART(Verifier, numeric, Numeric, .summary = "whether an answer's final number is the reference's (GSM8K, ...)",
            .formula = "[|a - b| <= tolerance max(1, |b|)]",
            .paper = "Cobbe et al. 2021, Training verifiers to solve math word problems, arXiv 2110.14168");

}  // namespace attune::verifiers
