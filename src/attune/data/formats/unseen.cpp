#include "attune/data/formats/unseen.h"

#include <algorithm>
#include <utility>

namespace attune::formats {
namespace {

struct Score {
  std::string_view text = {};
  Outcome outcome = Outcome::tie;  // of what stands as A and as B
  double strength = 1;
};
// The first of each outcome and strength is how it is written.
constexpr Score scores[] = {{"A>>B", Outcome::a, 3}, {"A>B", Outcome::a, 1},  {"A=B", Outcome::tie, 1},
                            {"B>A", Outcome::b, 1},  {"B>>A", Outcome::b, 3}, {"B=A", Outcome::tie, 1},
                            {"A<<B", Outcome::b, 3}, {"A<B", Outcome::b, 1}};

Outcome turned(Outcome outcome) {
  return outcome == Outcome::a ? Outcome::b : outcome == Outcome::b ? Outcome::a : outcome;
}

std::string spelled(const Comparison& comparison, bool swapped) {
  const Outcome outcome = swapped ? turned(comparison.outcome) : comparison.outcome;
  for (const Score& score : scores) {
    if (score.outcome == outcome && score.strength == comparison.strength.value_or(1)) return std::string(score.text);
  }
  return {};
}

}  // namespace

bool compares_first_two(const Feedback& feedback) {
  const auto* comparison = std::get_if<Comparison>(&feedback.what);
  return comparison != nullptr && comparison->a == Target{.completion = 0} && comparison->b == Target{.completion = 1};
}

std::int32_t add_unseen_answer(Draft& draft, std::string name) {
  Record& record = draft.filled();
  const auto node = static_cast<std::int32_t>(record.nodes.size());
  record.nodes.push_back({.message = {.role = Role::assistant, .name = std::move(name)}});
  record.completions.push_back({-1, node});
  return static_cast<std::int32_t>(record.completions.size()) - 1;
}

std::string unseen_name(Draft& draft, std::size_t answer) {
  const Record& record = draft.record();
  if (answer >= record.completions.size()) {
    draft.refuse();
    return {};
  }
  const auto path = path_to(record, record.completions[answer].last);
  if (path.size() != 1 || !path[0]->content.empty() || path[0]->name.empty()) draft.refuse();
  return path.back()->name;
}

void unseen_answer(Entry& row, Draft& draft, std::string_view key, std::size_t answer) {
  std::string name = draft.reading() ? "" : unseen_name(draft, answer);
  row.text(key, name);
  if (draft.reading()) add_unseen_answer(draft, std::move(name));
}

std::int32_t judge_and_prompt(Entry& row, Draft& draft) {
  std::vector<std::string> words;
  if (!draft.reading()) {
    for (const Feedback& feedback : draft.record().feedback) {
      const Annotator* who = draft.annotator_at(feedback.annotator);
      if (who == nullptr || !words.empty()) continue;
      words.push_back(who->id);
      for (const auto& [name, value] : who->traits) {
        if (name == "prompt") words.push_back(value);
      }
    }
    if (!words.empty()) row.texts("judge", words);
    return -1;
  }
  row.texts("judge", words);
  if (words.empty()) return -1;
  Annotator judge{.kind = Annotator::model, .id = words[0]};
  if (words.size() > 1) judge.traits = {{"prompt", words[1]}};
  return draft.annotator(judge);
}

void arena_hard_games(Entry& row, Draft& draft, std::int32_t judge, bool judgment_is_object) {
  const std::size_t count = draft.reading() ? 0 : draft.count(compares_first_two);
  row.list("games", count, [&](Entry& game, std::size_t i) {
    const bool swapped = i % 2 == 1;
    const std::vector<std::int32_t> shown = swapped ? std::vector<std::int32_t>{1, 0} : std::vector<std::int32_t>{0, 1};
    draft.opinion(compares_first_two, [&](Feedback& feedback) {
      std::string score;
      if (!draft.reading()) {
        score = spelled(std::get<Comparison>(feedback.what), swapped);
        if (score.empty() || feedback.shown != shown) draft.refuse();
      }
      game.optional_text("score", score);
      if (judgment_is_object) {
        game.object("judgment", [&](Entry& inner) { inner.optional_text("answer", feedback.why); });
      } else {
        game.optional_text("judgment", feedback.why);
      }
      game.rest(feedback.extra_json);
      if (!draft.reading() || score.empty()) return false;
      const auto known =
          std::find_if(std::begin(scores), std::end(scores), [&](const Score& one) { return one.text == score; });
      if (known == std::end(scores)) {
        game.fail("score", "an unknown verdict", "A>>B, A>B, A=B, B>A or B>>A");
        return false;
      }
      Comparison comparison{{.completion = 0}, {.completion = 1}, swapped ? turned(known->outcome) : known->outcome};
      if (known->outcome != Outcome::tie) comparison.strength = known->strength;
      feedback.what = comparison;
      feedback.shown = shown;
      feedback.annotator = judge;
      return true;
    });
  });
}

}  // namespace attune::formats
