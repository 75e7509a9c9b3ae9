#include "attune/statistics/battles.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>

#include "attune/base/errors.h"

namespace attune {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// Of a. Empty: the word is no outcome.
std::optional<double> score_of(const std::string& word) {
  static const std::map<std::string, double> words = {
      {"a", 1},          {"model_a", 1},         {"left", 1},           {"a1", 1},
      {"b", 0},          {"model_b", 0},         {"right", 0},          {"a2", 0},
      {"tie", 0.5},      {"draw", 0.5},          {"equal", 0.5},        {"both", 0.5},
      {"bothbad", 0.5},  {"tie (bothbad)", 0.5}, {"tie(bothbad)", 0.5}, {"tie (bothgood)", 0.5},
      {"both_bad", 0.5}, {"both_good", 0.5},     {"neither", 0.5}};
  const auto found = words.find(lower(word));
  return found == words.end() ? std::nullopt : std::optional(found->second);
}

class Table {
 public:
  Table(const Evidence& evidence, BattlesOptions options) : evidence_(evidence), options_(std::move(options)) {}

  Battles read() && {
    for (const EvidenceRow& row : evidence_.rows()) add(row);
    battles_.contestants = contestants_.all();
    battles_.annotators = annotators_.all();
    return std::move(battles_);
  }

 private:
  void add(const EvidenceRow& row) {
    const std::string a = text_in(row, options_.a), b = text_in(row, options_.b);
    if (a == b) refuse_cell(row, options_.b, "a contestant compared with itself", "two different ones");
    const Json& winner = cell_of(row, options_.winner);
    if (winner.is_null() || (winner.is_string() && winner.string().empty())) {
      ++battles_.undecided;
      return;
    }
    Match match{.a = contestants_.add(a), .b = contestants_.add(b), .score = score(row, winner, a, b)};
    battles_.matches.push_back(match);
    const Json* annotator = row.value.find(options_.annotator);
    battles_.raters.push_back(annotator == nullptr || annotator->is_null() ? -1 : annotators_.add(text_of(*annotator)));
    for (const std::string& style : options_.style) {
      const double of_a = number_in(row, style + "_a"), of_b = number_in(row, style + "_b");
      battles_.style.push_back(of_a + of_b != 0 ? (of_a - of_b) / (of_a + of_b) : 0);
    }
  }

  double score(const EvidenceRow& row, const Json& winner, const std::string& a, const std::string& b) const {
    if (winner.is_number()) {
      const double value = winner.number();
      if (value >= 0 && value <= 1) return value;
      refuse_cell(row, options_.winner, "a number outside of [0, 1]", "what a won: 1, 0, or between");
    }
    const std::string word = text_of(winner);
    if (word == a) return 1;
    if (word == b) return 0;
    if (const auto found = score_of(word)) return *found;
    refuse_cell(row, options_.winner, "a winner that is neither of the two, nor a tie", "the name of one, a, b or tie");
  }

  const Evidence& evidence_;
  BattlesOptions options_;
  Names contestants_, annotators_;
  Battles battles_;
};

// Contestants of preference data.
class Comparisons {
 public:
  Comparisons(const Evidence& evidence, const BattlesOptions& options) : evidence_(evidence), options_(options) {}

  Battles read() && {
    if (!options_.style.empty())
      evidence_.refuse("no columns of style", "a table with a, b, winner and the style's columns");
    const Dataset& dataset = evidence_.dataset();
    for (std::size_t i = 0; i < dataset.annotators.size(); ++i) {
      const std::string& id = dataset.annotators[i].id;
      battles_.annotators.push_back(id.empty() ? "annotator " + std::to_string(i) : id);
    }
    for (std::size_t r = 0; r < dataset.records.size(); ++r) {
      const Record& record = dataset.records[r];
      const std::vector<bool> old = superseded(record);
      for (std::size_t i = 0; i < record.feedback.size(); ++i) {
        if (!old[i]) add(record, r, record.feedback[i]);
      }
    }
    battles_.contestants = contestants_.all();
    return std::move(battles_);
  }

 private:
  void add(const Record& record, std::size_t r, const Feedback& feedback) {
    const auto* comparison = std::get_if<Comparison>(&feedback.what);
    if (comparison == nullptr || comparison->a.completion < 0 || comparison->b.completion < 0) return;
    if (comparison->outcome == Outcome::incomparable || comparison->outcome == Outcome::unsure) {
      ++battles_.undecided;
      return;
    }
    const std::int32_t a = contestant(record, r, comparison->a.completion);
    const std::int32_t b = contestant(record, r, comparison->b.completion);
    if (a == b) return;  // one model against itself says nothing about it
    const double score = comparison->outcome == Outcome::a ? 1 : comparison->outcome == Outcome::b ? 0 : 0.5;
    battles_.matches.push_back({.a = a, .b = b, .score = score, .weight = feedback.weight});
    battles_.raters.push_back(feedback.annotator);
  }

  std::int32_t contestant(const Record& record, std::size_t r, std::int32_t completion) {
    const std::string id = record.id.empty() ? std::to_string(r) : record.id;
    if (options_.by == Contestants::answer) return contestants_.add(id + "#" + std::to_string(completion));
    const std::int32_t last = record.completions[static_cast<std::size_t>(completion)].last;
    const std::string& name = record.nodes[static_cast<std::size_t>(last)].message.name;
    if (name.empty()) {
      throw DataError({.file = evidence_.path(), .record = id}, "an answer that does not say which model gave it",
                      "the models' names", "set by=answer to rate the answers themselves");
    }
    return contestants_.add(name);
  }

  const Evidence& evidence_;
  const BattlesOptions& options_;
  Names contestants_;
  Battles battles_;
};

void standardise(Battles& battles, std::size_t count) {
  const auto n = static_cast<double>(battles.matches.size());
  for (std::size_t f = 0; f < count; ++f) {
    double mean = 0, squares = 0;
    for (std::size_t i = f; i < battles.style.size(); i += count) mean += battles.style[i] / n;
    for (std::size_t i = f; i < battles.style.size(); i += count) squares += std::pow(battles.style[i] - mean, 2);
    const double deviation = std::sqrt(squares / n);
    battles.style_mean.push_back(mean);
    battles.style_deviation.push_back(deviation);
    for (std::size_t i = f; i < battles.style.size(); i += count) {
      battles.style[i] = deviation > 0 ? (battles.style[i] - mean) / deviation : 0;
    }
  }
}

std::string groups_text(const std::vector<std::vector<std::int32_t>>& groups, const std::vector<std::string>& names) {
  constexpr std::size_t most = 4;
  std::vector<std::string> texts;
  for (const auto& group : groups) {
    std::vector<std::string> members;
    for (const std::int32_t one : group) members.push_back(names[static_cast<std::size_t>(one)]);
    texts.push_back("{" + listed(members) + "}");
  }
  return listed(texts, most);
}

}  // namespace

void BattlesOptions::describe(Fields& fields) {
  fields("a", a, "column of the first contestant (or model_a)");
  fields("b", b, "column of the second one (or model_b)");
  fields("winner", winner, "column of who won: a name, a, b, tie, or what a won as a number");
  fields("annotator", annotator, "column of who decided");
  fields("style", style, "styles to hold equal: for each s the columns s_a and s_b, as [tokens, lists]");
  fields("by", by, "who competes in preference data: what spoke, or each answer for itself");
}

Battles read_battles(const Evidence& evidence, const BattlesOptions& options) {
  BattlesOptions table = options;
  bool plain = evidence.has_columns({table.a, table.b, table.winner});
  const BattlesOptions defaults;
  if (!plain && options.a == defaults.a && options.b == defaults.b &&
      evidence.has_columns({"model_a", "model_b", options.winner})) {
    plain = true;
    table.a = "model_a";
    table.b = "model_b";
  }
  Battles battles = plain ? Table(evidence, table).read() : Comparisons(evidence, options).read();
  if (battles.matches.empty()) evidence.refuse("no decided comparison", "at least one");
  standardise(battles, options.style.size());
  return battles;
}

void require_comparable(const Evidence& evidence, std::span<const Match> matches,
                        const std::vector<std::string>& contestants, bool finite) {
  const auto count = static_cast<std::int32_t>(contestants.size());
  if (const auto groups = connected_groups(matches, count); groups.size() > 1) {
    evidence.refuse("comparisons that fall into " + std::to_string(groups.size()) +
                        " parts without any between them: " + groups_text(groups, contestants),
                    "comparisons that connect all", "rate each part alone, or set prior=1");
  }
  if (!finite) return;
  const auto groups = winning_groups(matches, count);
  if (groups.size() == 1) return;
  evidence.refuse("separable comparisons: no one of " + groups_text({groups.back()}, contestants) +
                      " ever took a point from the others, or the others lost none",
                  "finite ratings, where everybody won and lost a point somewhere", "set prior=1 to regularise");
}

void require_comparable(const Evidence& evidence, const Battles& battles, bool finite) {
  require_comparable(evidence, battles.matches, battles.contestants, finite);
}

}  // namespace attune
