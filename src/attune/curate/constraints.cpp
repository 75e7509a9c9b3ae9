#include "attune/curate/constraints.h"

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/curate/words.h"

namespace attune::curate {
namespace {

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool has_bullet(std::string_view text) {
  const auto lines = lines_of(text);
  return std::any_of(lines.begin(), lines.end(),
                     [](std::string_view line) { return line.starts_with("- ") || line.starts_with("* "); });
}

// What the constraint says without its negation.
bool holds(std::string_view answer, const Constraint& constraint) {
  const auto any = [&](auto is) { return std::any_of(answer.begin(), answer.end(), is); };
  switch (constraint.kind) {
    case ConstraintKind::words:
      return std::ssize(words_in(answer)) >= constraint.number;
    case ConstraintKind::sentences:
      return sentences_in(answer) >= constraint.number;
    case ConstraintKind::paragraphs:
      return paragraphs_in(answer) >= constraint.number;
    case ConstraintKind::includes_word: {
      const auto words = words_in(answer);
      return std::find(words.begin(), words.end(), constraint.word) != words.end();
    }
    case ConstraintKind::begins_with: {
      const auto words = words_in(answer);
      return !words.empty() && words.front() == constraint.word;
    }
    case ConstraintKind::ends_with: {
      const auto words = words_in(answer);
      return !words.empty() && words.back() == constraint.word;
    }
    case ConstraintKind::lower_case:
      return !any(is_capital);
    case ConstraintKind::digits:
      return any(is_digit);
    case ConstraintKind::commas:
      return any([](char c) { return c == ','; });
    case ConstraintKind::bullets:
      return has_bullet(answer);
    case ConstraintKind::question:
      return trimmed(answer).ends_with('?');
  }
  throw InternalError({}, "a constraint of no known kind");
}

std::string counted(std::int64_t number, const char* what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

// Common words to ask for that an answer need not have.
constexpr std::array offered = {"garden", "river",  "window",  "music",  "letter", "winter", "market", "bridge",
                                "colour", "friend", "morning", "island", "paper",  "number", "story",  "mountain"};

// A number that the answer's own count reaches (or does not).
std::int64_t threshold(std::int64_t count, bool reached, Random& random) {
  if (reached) return 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(count)));
  return count + 1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(count / 2 + 2)));
}

// A word other than those of the list.
std::string foreign_word(const std::vector<std::string>& words, Random& random) {
  const std::size_t start = random.below(offered.size());
  for (std::size_t i = 0; i < offered.size(); ++i) {
    std::string word = offered[(start + i) % offered.size()];
    if (std::find(words.begin(), words.end(), word) == words.end()) return word;
  }
  std::string word = offered[start];  // an answer with all of them has no word as long as this
  while (std::find(words.begin(), words.end(), word) != words.end()) word += offered[start];
  return word;
}

// Chooses number or word so that holds() has the value asked for; false where the answer does not allow it.
bool settle(Constraint& constraint, bool value, std::string_view answer, Random& random) {
  const auto number = [&](std::int64_t count) {
    if (value && count == 0) return false;
    constraint.number = threshold(count, value, random);
    return true;
  };
  const auto words = words_in(answer);
  const auto word = [&](std::size_t begin, std::size_t end) {  // one of these, or none of them
    if (value && words.empty()) return false;
    const std::vector<std::string> known(words.begin() + static_cast<std::ptrdiff_t>(begin),
                                         words.begin() + static_cast<std::ptrdiff_t>(end));
    constraint.word = value ? known[random.below(known.size())] : foreign_word(words, random);
    return true;
  };
  const std::size_t size = words.size();
  switch (constraint.kind) {
    case ConstraintKind::words:
      return number(std::ssize(words));
    case ConstraintKind::sentences:
      return number(sentences_in(answer));
    case ConstraintKind::paragraphs:
      return number(paragraphs_in(answer));
    case ConstraintKind::includes_word:
      return word(0, size);
    case ConstraintKind::begins_with:
      return word(0, std::min<std::size_t>(size, 1));
    case ConstraintKind::ends_with:
      return word(size - std::min<std::size_t>(size, 1), size);
    default:
      return holds(answer, constraint) == value;
  }
}

}  // namespace

std::string_view name(ConstraintKind kind) {
  constexpr std::array names = {"words",      "sentences", "paragraphs", "includes-word", "begins-with", "ends-with",
                                "lower-case", "digits",    "commas",     "bullets",       "question"};
  return names[static_cast<std::size_t>(kind)];
}

bool obeys(std::string_view answer, const Constraint& constraint) {
  return holds(answer, constraint) != constraint.negated;
}

std::string instruction(const Constraint& constraint) {
  const bool no = constraint.negated;
  const std::int64_t number = constraint.number;
  const std::string word = "\"" + constraint.word + "\"";
  const auto count = [&](const char* what) {
    return std::string(no ? "Use fewer than " : "Use at least ") + counted(number, what) + ".";
  };
  switch (constraint.kind) {
    case ConstraintKind::words:
      return count("word");
    case ConstraintKind::sentences:
      return count("sentence");
    case ConstraintKind::paragraphs:
      return count("paragraph");
    case ConstraintKind::includes_word:
      return (no ? "Do not use the word " : "Use the word ") + word + ".";
    case ConstraintKind::begins_with:
      return (no ? "Do not begin with the word " : "Begin with the word ") + word + ".";
    case ConstraintKind::ends_with:
      return (no ? "Do not end with the word " : "End with the word ") + word + ".";
    case ConstraintKind::lower_case:
      return no ? "Use at least one capital letter." : "Use no capital letters.";
    case ConstraintKind::digits:
      return no ? "Use no digits." : "Use at least one digit.";
    case ConstraintKind::commas:
      return no ? "Use no commas." : "Use at least one comma.";
    case ConstraintKind::bullets:
      return no ? "Use no bullet points." : "Write at least one bullet point.";
    case ConstraintKind::question:
      return no ? "Do not end with a question." : "End with a question.";
  }
  throw InternalError({}, "a constraint of no known kind");
}

Constraint draw_constraint(ConstraintKind kind, bool truth, std::string_view answer, Random& random) {
  const bool negated = random.below(2) == 1;
  for (const bool form : {negated, !negated}) {
    Constraint constraint{.kind = kind, .negated = form};
    if (settle(constraint, truth != form, answer, random)) return constraint;
  }
  throw InternalError({}, "no constraint of kind " + std::string(name(kind)));
}

ConstraintLists draw_constraints(std::size_t count, std::size_t broken, std::string_view answer, Random& random) {
  require(count <= all_constraint_kinds.size() && broken <= count, "more constraints than kinds of them");
  const auto order = random.permutation(static_cast<std::int64_t>(all_constraint_kinds.size()));
  ConstraintLists lists;
  for (std::size_t i = 0; i < count; ++i) {
    const ConstraintKind kind = all_constraint_kinds[static_cast<std::size_t>(order[i])];
    lists.obeyed.push_back(draw_constraint(kind, true, answer, random));
    lists.broken.push_back(i < broken ? draw_constraint(kind, false, answer, random) : lists.obeyed.back());
  }
  return lists;
}

}  // namespace attune::curate
