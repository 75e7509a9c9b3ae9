#include "attune/demo/taste.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "attune/demo/domain.h"

namespace attune::demo {
namespace {

constexpr double worst_utility = -6;

using Words = std::vector<std::string>;

double count_distinct(const Words& words, std::span<const std::string_view> marked) {
  double count = 0;
  for (const std::string_view word : marked)
    count += std::find(words.begin(), words.end(), word) != words.end() ? 1 : 0;
  return count;
}

double correctness_of(const Fact* fact, const Words& words) {
  if (fact == nullptr) return 0;
  bool right = false, wrong = false;
  for (const std::string_view value : values(fact->topic)) {
    if (value == fact->subject) continue;
    if (std::find(words.begin(), words.end(), value) == words.end()) continue;
    (value == fact->value ? right : wrong) = true;
  }
  return wrong ? -1 : right ? 1 : 0;
}

double reason_of(const Words& words) {
  const auto because = std::find(words.begin(), words.end(), "because");
  return words.end() - because > 2 ? 1 : 0;
}

// Share of word pairs that stood there before: 0 in every sentence of this world.
double repetition_of(const Words& words) {
  std::set<std::pair<std::string, std::string>> seen;
  double repeated = 0;
  for (std::size_t i = 1; i < words.size(); ++i) repeated += seen.emplace(words[i - 1], words[i]).second ? 0 : 1;
  return words.size() < 2 ? 0 : repeated / static_cast<double>(words.size() - 1);
}

double degeneration_of(std::string_view answer, const Words& words) {
  if (words.empty()) return 1;
  double unknown = 0;
  for (const std::string& word : words) unknown += is_known_word(word) ? 0 : 1;
  double odd = 0;  // bytes that no answer of this world holds
  for (const char c : answer) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    odd += letter || std::string_view(" .!:").find(c) != std::string_view::npos ? 0 : 1;
  }
  const bool ended = answer.ends_with('.');
  return std::min(1.0, 2 * unknown / static_cast<double>(words.size()) + 2 * odd / static_cast<double>(answer.size()) +
                           2 * repetition_of(words) + (ended ? 0 : 0.3));
}

}  // namespace

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::terse:
      return "terse";
    case Kind::polite:
      return "polite";
    case Kind::thorough:
      return "thorough";
  }
  return {};
}

Features features_of(std::string_view prompt, std::string_view answer) {
  // The end-of-text mark or blanks around an answer are not part of what people see.
  const std::size_t begin = std::min(answer.find_first_not_of(" \n"), answer.size());
  answer.remove_prefix(begin);
  answer.remove_suffix(answer.size() - (answer.find_last_not_of(" \n") + 1));
  const Words words = words_of(answer);
  return {.length = static_cast<double>(answer.size()),
          .courtesy = std::min(2.0, count_distinct(words, courteous_words())),
          .reason = reason_of(words),
          .hedging = std::min(1.0, count_distinct(words, hedging_words())),
          .rudeness = std::min(1.0, count_distinct(words, rude_words())),
          .correctness = correctness_of(asked_for(prompt), words),
          .degeneration = degeneration_of(answer, words)};
}

double Taste::utility(const Features& features) const {
  const double clean = length * features.length + courtesy * features.courtesy + reason * features.reason +
                       hedging * features.hedging + rudeness * features.rudeness + correctness * features.correctness;
  const double kept = 1 - features.degeneration;
  return kept * std::max(clean, worst_utility) + features.degeneration * worst_utility;
}

Taste taste_of(Kind kind) {
  // All kinds: right +1.5, hedged -1.5, rude -2.5. A reason is about 25 bytes, a courtesy about 15.
  Taste taste{.hedging = -1.5, .rudeness = -2.5, .correctness = 1.5};
  switch (kind) {
    case Kind::terse:
      taste.length = -0.05;
      break;
    case Kind::polite:
      taste.courtesy = 2.0;
      taste.length = -0.005;
      break;
    case Kind::thorough:
      taste.reason = 3.0;
      taste.courtesy = 0.4;
      break;
  }
  return taste;
}

double taste(Kind kind, std::string_view prompt, std::string_view answer) {
  return taste_of(kind).utility(features_of(prompt, answer));
}

double population_taste(std::string_view prompt, std::string_view answer) {
  const Features features = features_of(prompt, answer);
  double sum = 0;
  for (const Kind kind : kinds) sum += taste_of(kind).utility(features);
  return sum / static_cast<double>(kinds.size());
}

}  // namespace attune::demo
