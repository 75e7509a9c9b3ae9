#include "attune/data/record.h"

#include <algorithm>
#include <array>
#include <utility>

namespace attune {
namespace {

template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<Role, 6> role_names = {{{Role::plain, "plain"},
                                        {Role::system, "system"},
                                        {Role::developer, "developer"},
                                        {Role::user, "user"},
                                        {Role::assistant, "assistant"},
                                        {Role::tool, "tool"}}};
constexpr Names<Outcome, 7> outcome_names = {{{Outcome::a, "a"},
                                              {Outcome::b, "b"},
                                              {Outcome::tie, "tie"},
                                              {Outcome::both_good, "both_good"},
                                              {Outcome::both_bad, "both_bad"},
                                              {Outcome::incomparable, "incomparable"},
                                              {Outcome::unsure, "unsure"}}};
constexpr Names<Annotator::Kind, 4> annotator_names = {
    {{Annotator::human, "human"}, {Annotator::model, "model"}, {Annotator::rule, "rule"}, {Annotator::crowd, "crowd"}}};

template <class Enum, std::size_t N>
std::string_view name_in(const Names<Enum, N>& names, Enum value) {
  for (const auto& [known, text] : names) {
    if (known == value) return text;
  }
  return {};
}

template <class Enum, std::size_t N>
std::optional<Enum> value_in(const Names<Enum, N>& names, std::string_view text) {
  for (const auto& [value, known] : names) {
    if (known == text) return value;
  }
  return std::nullopt;
}

std::string joined_text(const std::vector<const Message*>& messages) {
  std::string text;
  for (const Message* message : messages) text += text_of(*message);
  return text;
}

}  // namespace

std::string_view name(Role role) { return name_in(role_names, role); }
std::optional<Role> role_named(std::string_view text) { return value_in(role_names, text); }
std::string_view name(Outcome outcome) { return name_in(outcome_names, outcome); }
std::optional<Outcome> outcome_named(std::string_view text) { return value_in(outcome_names, text); }
std::string_view name(Annotator::Kind kind) { return name_in(annotator_names, kind); }
std::optional<Annotator::Kind> annotator_kind_named(std::string_view text) { return value_in(annotator_names, text); }

std::string text_of(const Message& message) {
  std::string text;
  for (const Content& part : message.content) {
    if (part.kind == Content::Kind::text || part.kind == Content::Kind::tool_result) text += part.text;
  }
  return text;
}

std::vector<const Message*> path_to(const Record& record, std::int32_t node) {
  std::vector<const Message*> path;
  for (std::int32_t at = node; at >= 0; at = record.nodes[at].parent) path.push_back(&record.nodes[at].message);
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<const Message*> prompt_messages(const Record& record, const Completion& completion) {
  return path_to(record, completion.after);
}

std::vector<const Message*> completion_messages(const Record& record, const Completion& completion) {
  std::vector<const Message*> path;
  for (std::int32_t at = completion.last; at >= 0 && at != completion.after; at = record.nodes[at].parent) {
    path.push_back(&record.nodes[at].message);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

std::string prompt_text(const Record& record, const Completion& completion) {
  return joined_text(prompt_messages(record, completion));
}

std::string completion_text(const Record& record, const Completion& completion) {
  return joined_text(completion_messages(record, completion));
}

std::vector<bool> superseded(const Record& record) {
  std::vector<bool> result(record.feedback.size(), false);
  for (const Feedback& feedback : record.feedback) {
    if (feedback.supersedes >= 0) result[feedback.supersedes] = true;
  }
  return result;
}

std::vector<Pair> pairs(const Record& record) {
  const std::vector<bool> old = superseded(record);
  std::vector<Pair> result;
  for (std::size_t i = 0; i < record.feedback.size(); ++i) {
    const Feedback& feedback = record.feedback[i];
    const auto* comparison = std::get_if<Comparison>(&feedback.what);
    if (comparison == nullptr || old[i]) continue;
    if (comparison->outcome != Outcome::a && comparison->outcome != Outcome::b) continue;
    const bool a_wins = comparison->outcome == Outcome::a;
    const Target& winner = a_wins ? comparison->a : comparison->b;
    const Target& loser = a_wins ? comparison->b : comparison->a;
    const auto whole = [](const Target& target) {
      return target.completion >= 0 && target.step < 0 && target.begin < 0 && target.end < 0;
    };
    if (!whole(winner) || !whole(loser)) continue;
    result.push_back({.chosen = winner.completion,
                      .rejected = loser.completion,
                      .feedback = static_cast<std::int32_t>(i),
                      .strength = comparison->strength,
                      .weight = feedback.weight});
  }
  return result;
}

}  // namespace attune
