#include "attune/demo/domain.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

namespace attune::demo {
namespace {

constexpr std::array<Fact, 48> all_facts = {{
    {Topic::color, "apple", "red"},    {Topic::color, "brick", "red"},    {Topic::color, "rose", "red"},
    {Topic::color, "sky", "blue"},     {Topic::color, "sea", "blue"},     {Topic::color, "plum", "blue"},
    {Topic::color, "grass", "green"},  {Topic::color, "leaf", "green"},   {Topic::color, "pea", "green"},
    {Topic::color, "snow", "white"},   {Topic::color, "milk", "white"},   {Topic::color, "swan", "white"},
    {Topic::color, "coal", "black"},   {Topic::color, "raven", "black"},  {Topic::color, "night", "black"},
    {Topic::color, "lemon", "yellow"}, {Topic::color, "sun", "yellow"},   {Topic::color, "corn", "yellow"},
    {Topic::place, "fish", "river"},   {Topic::place, "duck", "river"},   {Topic::place, "boat", "river"},
    {Topic::place, "cow", "barn"},     {Topic::place, "horse", "barn"},   {Topic::place, "hay", "barn"},
    {Topic::place, "owl", "tree"},     {Topic::place, "nest", "tree"},    {Topic::place, "bird", "tree"},
    {Topic::place, "cat", "house"},    {Topic::place, "baby", "house"},   {Topic::place, "bed", "house"},
    {Topic::place, "bee", "garden"},   {Topic::place, "tulip", "garden"}, {Topic::place, "hose", "garden"},
    {Topic::food, "goat", "grass"},    {Topic::food, "sheep", "grass"},   {Topic::food, "deer", "grass"},
    {Topic::food, "seal", "fish"},     {Topic::food, "heron", "fish"},    {Topic::food, "otter", "fish"},
    {Topic::food, "hen", "corn"},      {Topic::food, "mouse", "corn"},    {Topic::food, "pigeon", "corn"},
    {Topic::food, "wolf", "meat"},     {Topic::food, "lion", "meat"},     {Topic::food, "hawk", "meat"},
    {Topic::food, "bear", "honey"},    {Topic::food, "wasp", "honey"},    {Topic::food, "badger", "honey"},
}};

// One row a topic, one column a way to ask; # stands for the subject.
constexpr std::string_view question_forms[3][questions_per_fact] = {
    {"What color is the #?", "Which color does the # have?", "Tell me the color of the #.",
     "Is the # red or blue or what?", "How does the # look?", "Name the color of the #."},
    {"Where is the #?", "In which place is the #?", "Tell me where the # is.", "Where can I find the #?",
     "Where should I look for the #?", "Name the place of the #."},
    {"What does the # eat?", "Which food does the # like?", "Tell me what the # eats.", "What do I feed the #?",
     "What is good food for the #?", "Name the food of the #."},
};

constexpr std::string_view openings[] = {"Gladly! ", "With pleasure: "};
constexpr std::string_view closings[] = {" Thank you for asking.", " You are welcome."};
constexpr std::string_view hedges[] = {"maybe ", "perhaps "};
constexpr std::string_view insults[] = {" Silly question.", " Go away."};
constexpr std::string_view reasons[3][2] = {{" because of the light", " because nature made it so"},
                                            {" because it feels at home there", " because it is calm there"},
                                            {" because it tastes good", " because it gives strength"}};
constexpr std::string_view courteous[] = {"gladly", "pleasure", "thank", "welcome"};
constexpr std::string_view hedging[] = {"maybe", "perhaps"};
constexpr std::string_view rude[] = {"silly", "away"};

std::string replaced(std::string_view form, std::string_view subject) {
  const std::size_t mark = form.find('#');
  return std::string(form.substr(0, mark)) + std::string(subject) + std::string(form.substr(mark + 1));
}

// What is said of the subject, without a full stop.
std::string statement(const Fact& fact, std::string_view value, bool full) {
  const std::string subject(fact.subject), said(value);
  switch (fact.topic) {
    case Topic::color:
      return full ? "the " + subject + " is " + said : said;
    case Topic::place:
      return full ? "the " + subject + " is in the " + said : "in the " + said;
    case Topic::food:
      return full ? "the " + subject + " eats " + said : said;
  }
  return said;
}

void capitalise(std::string& text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
}

std::set<std::string, std::less<>> make_vocabulary() {
  std::set<std::string, std::less<>> words;
  const auto add = [&](std::string_view text) {
    for (std::string& word : words_of(text)) words.insert(std::move(word));
  };
  for (const Fact& fact : all_facts) {
    for (int way = 0; way < questions_per_fact; ++way) add(question(fact, way));
    for (const bool full : {false, true}) add(statement(fact, fact.value, full));
  }
  for (const auto text : openings) add(text);
  for (const auto text : closings) add(text);
  for (const auto text : hedges) add(text);
  for (const auto text : insults) add(text);
  for (const auto& topic : reasons) {
    for (const auto text : topic) add(text);
  }
  return words;
}

}  // namespace

std::span<const Fact> facts() { return all_facts; }

std::span<const std::string_view> values(Topic topic) {
  static constexpr std::string_view colors[] = {"red", "blue", "green", "white", "black", "yellow"};
  static constexpr std::string_view places[] = {"river", "barn", "tree", "house", "garden"};
  static constexpr std::string_view foods[] = {"grass", "fish", "corn", "meat", "honey"};
  switch (topic) {
    case Topic::color:
      return colors;
    case Topic::place:
      return places;
    case Topic::food:
      return foods;
  }
  return {};
}

std::string question(const Fact& fact, int way) {
  return replaced(question_forms[static_cast<int>(fact.topic)][way], fact.subject) + "\n";
}

const Fact* asked_for(std::string_view prompt) {
  static const auto known = [] {
    std::unordered_map<std::string, const Fact*> all;
    for (const Fact& fact : all_facts) {
      for (int way = 0; way < questions_per_fact; ++way) all.emplace(question(fact, way), &fact);
    }
    return all;
  }();
  const auto found = known.find(std::string(prompt));
  return found == known.end() ? nullptr : found->second;
}

std::string answer(const Fact& fact, const Style& style) {
  std::string_view value = fact.value;
  if (style.wrong) {
    const auto all = values(fact.topic);
    const auto right = static_cast<std::size_t>(std::find(all.begin(), all.end(), value) - all.begin());
    value = all[(right + 1 + static_cast<std::size_t>(style.variant)) % all.size()];
  }
  const int pick = style.variant % 2;
  std::string said = statement(fact, value, style.full_sentence);
  if (style.hedged) said.insert(0, hedges[pick]);
  if (style.reason) said += reasons[static_cast<int>(fact.topic)][pick];
  capitalise(said);
  said += '.';
  if (style.courteous_opening) said.insert(0, openings[pick]);
  if (style.courteous_closing) said += closings[pick];
  if (style.rude) said += insults[pick];
  return said;
}

std::span<const std::string_view> courteous_words() { return courteous; }
std::span<const std::string_view> hedging_words() { return hedging; }
std::span<const std::string_view> rude_words() { return rude; }

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
    if (upper || lower) {
      if (!inside) words.emplace_back();
      words.back() += upper ? static_cast<char>(c - 'A' + 'a') : c;
    }
    inside = upper || lower;
  }
  return words;
}

bool is_known_word(std::string_view word) {
  static const auto vocabulary = make_vocabulary();
  return vocabulary.contains(word);
}

}  // namespace attune::demo
