// The demo's little world: facts, ways to ask for them, and ways to answer. Everything is written by hand here and
// small enough that a model of one million weights learns it from scratch in a minute.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune::demo {

enum class Topic { color, place, food };

struct Fact {
  Topic topic = Topic::color;
  std::string_view subject = {};  // "apple"
  std::string_view value = {};    // "red"
};

std::span<const Fact> facts();
std::span<const std::string_view> values(Topic topic);  // every value some fact of the topic has, each once

// The ways to ask for a fact; question(fact, i) for i below questions_per_fact.
inline constexpr int questions_per_fact = 6;
std::string question(const Fact& fact, int way);  // "What color is the apple?\n"

// The fact that a prompt asks for, nullptr when it is none of this world's questions.
const Fact* asked_for(std::string_view prompt);

// How an answer is put. Every combination is grammatical.
struct Style {
  bool courteous_opening = false;  // "Gladly! "
  bool courteous_closing = false;  // " Thank you for asking."
  bool reason = false;             // " because of the light"
  bool hedged = false;             // "maybe "
  bool rude = false;               // " Silly question."
  bool full_sentence = true;       // "The apple is red" or "red"
  bool wrong = false;              // another value of the same topic
  int variant = 0;                 // which of the alternatives' words
  bool operator==(const Style&) const = default;
};
std::string answer(const Fact& fact, const Style& style);

// The words that mark a style, in lower case, wherever they stand in an answer.
std::span<const std::string_view> courteous_words();
std::span<const std::string_view> hedging_words();
std::span<const std::string_view> rude_words();

// Lower-case words of a text: runs of letters.
std::vector<std::string> words_of(std::string_view text);
bool is_known_word(std::string_view word);  // any question or answer of this world can contain it

}  // namespace attune::demo
