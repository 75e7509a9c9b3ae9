// Several verifiers as one: a weighted mean or sum, the least, or one after the other.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "attune/base/errors.h"
#include "attune/config/fields.h"
#include "attune/verifiers/verifier.h"

namespace attune {

enum class Composition { mean, sum, least, product, lexicographic };
constexpr auto enum_names(Composition) {
  using Name = std::pair<std::string_view, Composition>;
  return std::array{Name{"mean", Composition::mean}, Name{"sum", Composition::sum}, Name{"min", Composition::least},
                    Name{"product", Composition::product}, Name{"lexicographic", Composition::lexicographic}};
}

namespace verifiers {
namespace {

class Compose final : public Verifier {
  std::vector<Choice<Verifier>> parts_ = {};
  Composition how_ = Composition::mean;
  double threshold_ = 1;
  std::optional<double> lowest_ = {}, highest_ = {};

  double combined(const std::vector<double>& scores) const {
    double sum = 0, weights = 0, product = 1, least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < scores.size(); ++i) {
      sum += parts_[i].weight * scores[i];
      weights += parts_[i].weight;
      product *= std::pow(scores[i], parts_[i].weight);
      least = std::min(least, scores[i]);
    }
    if (how_ == Composition::sum) return sum;
    if (how_ == Composition::mean) return sum / weights;
    return how_ == Composition::least ? least : product;
  }

  // (k + score of the first part below the threshold) / parts, where k parts before it reach it: no later part makes up
  // for an earlier one. Parts behind the first that fails are not asked.
  Verification one_after_the_other(const Sample& sample) const {
    const auto count = static_cast<double>(parts_.size());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Verification one = parts_[i]->verify(sample);
      if (one.score >= threshold_) continue;
      const double share = std::clamp(one.score / threshold_, 0.0, 1.0);
      return {(static_cast<double>(i) + share) / count, std::string(parts_[i].name()) + ": " + one.reason};
    }
    return {1, "all parts"};
  }

 public:
  void describe(Fields& fields) {
    fields("parts", parts_, "the verifiers, in order: [{numeric: {weight: 2}}, {format: {}}]").required();
    fields("how", how_,
           "weighted mean or sum, the least, the product of score^weight, or lexicographic: a part counts once "
           "all before it reach the threshold");
    fields("threshold", threshold_, "of lexicographic").above(0);
    fields("lowest", lowest_, "scores below are raised to it");
    fields("highest", highest_, "scores above are cut to it");
  }

  void prepare() override {
    double weights = 0;
    for (const Choice<Verifier>& part : parts_) {
      if (!part) throw ConfigError({.field = "parts"}, "an empty entry", "a verifier");
      part->prepare();
      weights += part.weight;
    }
    if (parts_.empty()) throw ConfigError({.field = "parts"}, "no verifier", "at least one");
    if (how_ == Composition::mean && !(weights > 0))
      throw ConfigError({.field = "parts"}, "weights that sum to " + std::to_string(weights), "a sum above 0");
    if (lowest_ && highest_ && *lowest_ > *highest_)
      throw ConfigError({.field = "lowest"}, "more than highest", "at most as much");
  }

  Verification verify(const Sample& sample) const override {
    Verification result;
    if (how_ == Composition::lexicographic) {
      result = one_after_the_other(sample);
    } else {
      std::vector<double> scores;
      for (const Choice<Verifier>& part : parts_) {
        const Verification one = part->verify(sample);
        scores.push_back(one.score);
        result.reason += (result.reason.empty() ? "" : "; ") + std::string(part.name()) + ": " + one.reason;
      }
      result.score = combined(scores);
    }
    if (lowest_) result.score = std::max(result.score, *lowest_);
    if (highest_) result.score = std::min(result.score, *highest_);
    return result;
  }
};

}  // namespace

ATTUNE_PART(
    Verifier, compose, Compose, .summary = "several verifiers as one, weighted, clipped, or one after the other",
    .formula =
        "sum w_i s_i / sum w_i; sum w_i s_i; min s_i; prod s_i^w_i; (k + s_k / threshold) / n where parts before "
        "k reach the threshold");

}  // namespace verifiers
}  // namespace attune
