#include "attune/data/formats/draft.h"

#include <algorithm>
#include <cmath>

#include "attune/data/formats/messages.h"

namespace attune::formats {
namespace {

Message said(Role role, std::string text) {
  Message message = {.role = role};
  message.content.emplace_back().text = std::move(text);
  return message;
}

bool rates(const Feedback& feedback, const RatingOf& what) {
  const auto* rating = std::get_if<Rating>(&feedback.what);
  return rating != nullptr && rating->attribute == what.attribute && feedback.on == what.on;
}

bool labels(const Feedback& feedback, const std::string& name, const Target& on) {
  const auto* label = std::get_if<Label>(&feedback.what);
  return label != nullptr && label->name == name && feedback.on == on;
}

// The comparison of answers 0 and 1 as if answer 0 were `a`; none when it is about anything else.
std::optional<Comparison> first_two(const Feedback& feedback) {
  const auto* comparison = std::get_if<Comparison>(&feedback.what);
  if (comparison == nullptr) return std::nullopt;
  const Target first{.completion = 0}, second{.completion = 1};
  if (comparison->a == first && comparison->b == second) return *comparison;
  if (comparison->a != second || comparison->b != first) return std::nullopt;
  Comparison turned = *comparison;
  std::swap(turned.a, turned.b);
  if (comparison->outcome == Outcome::a) turned.outcome = Outcome::b;
  if (comparison->outcome == Outcome::b) turned.outcome = Outcome::a;
  return turned;
}

std::string words_of(std::span<const OutcomeWord> words) {
  std::string text;
  for (const OutcomeWord& word : words) text += (text.empty() ? "" : ", ") + std::string(word.text);
  return text;
}

}  // namespace

std::optional<std::string> only_text(const Message& message) {
  if (!message.calls.empty() || message.content_as_list || !message.extra_json.empty()) return std::nullopt;
  if (message.content.size() > 1) return std::nullopt;
  if (!message.content.empty() && message.content[0].kind != Content::Kind::text) return std::nullopt;
  return text_of(message);
}

Draft::Draft(Record& record, RowContext& context) : filled_(&record), record_(&record), context_(&context) {}

Draft::Draft(const Record& record, const Dataset& dataset)
    : record_(&record), dataset_(&dataset), used_(record.feedback.size()) {
  if (!record.completions.empty()) {
    prompt_end_ = record.completions.front().after;
  } else {
    prompt_end_ = static_cast<std::int32_t>(record.nodes.size()) - 1;
  }
}

void Draft::identity(Entry& entry, std::string_view key) {
  identified_ = true;
  if (!reading()) {
    if (!record_->id.empty()) entry.out(key, record_->id);
    return;
  }
  const Json* value = entry.in(key);
  if (value == nullptr) return;
  if (!value->is_string() && !value->is_integer()) return entry.fail_type(key, *value, "a string or an integer");
  filled_->id = value->is_string() ? value->string() : value->str();
}

void Draft::question(Entry& entry, std::string_view key) {
  std::string text;
  if (!reading()) {
    const auto messages = prompt();
    const auto only = messages.size() == 1 ? text_for(*messages[0]) : std::nullopt;
    if (!only) return refuse();
    text = *only;
  }
  entry.text(key, text);
  if (reading()) add_prompt({said(Role::user, std::move(text))});
}

void Draft::bare_question(Entry& entry, std::string_view key) {
  bare_ = true;
  question(entry, key);
  bare_ = false;
}

std::int32_t Draft::bare_answer(Entry& entry, std::string_view key) {
  bare_ = true;
  const std::int32_t index = answer(entry, key);
  bare_ = false;
  return index;
}

std::optional<std::string> Draft::text_for(const Message& message) const {
  if (!bare_ || message.extra_json.empty()) return only_text(message);
  Message without = message;
  without.extra_json.clear();
  return only_text(without);
}

void Draft::conversation(Entry& entry, std::string_view key) {
  if (!reading()) {
    const auto messages = prompt();
    if (form_of(messages) != Form::conversation || messages.empty()) return refuse();
    return entry.out(key, Json::parse(write_messages(messages)));
  }
  const Json* value = entry.in(key);
  if (value == nullptr) return entry.fail(key, "no such column", "a list of messages");
  add_prompt(read_messages(*value, value->str(), entry.path(key), entry.context()));
}

void Draft::add_prompt(std::vector<Message> messages) {
  prompt_end_ = append_chain(*filled_, prompt_end_, std::move(messages));
}

std::vector<const Message*> Draft::prompt() { return path_to(*record_, prompt_end_); }

std::int32_t Draft::answer(Entry& entry, std::string_view key) {
  std::string text;
  if (!reading()) {
    if (next_answer_ >= std::ssize(record_->completions)) {
      refuse();
      return next_answer_++;
    }
    text = answer_text(next_answer_);
  }
  entry.text(key, text);
  if (reading()) return add_answer(std::move(text));
  return next_answer_++;
}

std::int32_t Draft::add_answer(std::string text) {
  if (text.empty()) context_->note("an empty answer");
  const std::int32_t last = append_chain(*filled_, prompt_end_, {said(Role::assistant, std::move(text))});
  filled_->completions.push_back({prompt_end_, last});
  return static_cast<std::int32_t>(filled_->completions.size()) - 1;
}

std::string Draft::answer_text(std::int32_t index) {
  const Completion& completion = record_->completions[static_cast<std::size_t>(index)];
  const auto messages = completion_messages(*record_, completion);
  const auto text = messages.size() == 1 ? text_for(*messages[0]) : std::nullopt;
  if (!text || completion.after != prompt_end_) refuse();
  return text.value_or("");
}

std::int32_t Draft::transcript(Entry& entry, std::string_view key) {
  const std::int32_t index = reading() ? static_cast<std::int32_t>(filled_->completions.size()) : next_answer_++;
  if (!reading()) {
    if (index >= std::ssize(record_->completions)) {
      refuse();
      return index;
    }
    const auto path = path_to(*record_, record_->completions[static_cast<std::size_t>(index)].last);
    if (form_of(path) != Form::conversation) refuse();
    std::vector<Message> nameless;  // the speaker has a column of its own
    for (const Message* message : path) nameless.push_back(*message);
    nameless.back().name.clear();
    std::vector<const Message*> pointers;
    for (const Message& message : nameless) pointers.push_back(&message);
    entry.out(key, Json::parse(write_messages(pointers)));
    return index;
  }
  const Json* value = entry.in(key);
  if (value == nullptr) {
    entry.fail(key, "no such column", "a list of messages");
    return index;
  }
  std::vector<Message> messages = read_messages(*value, value->str(), entry.path(key), *context_);
  if (context_->failed()) return index;
  // What this answer shares with the one before it, up to the assistant's first message, is its prompt.
  std::size_t prompt = 0;
  while (prompt < messages.size() && messages[prompt].role != Role::assistant) ++prompt;
  if (prompt == messages.size()) {
    entry.fail(key, "a conversation without the assistant", "an answer");
    return index;
  }
  std::vector<Message> head(std::make_move_iterator(messages.begin()),
                            std::make_move_iterator(messages.begin() + static_cast<std::ptrdiff_t>(prompt)));
  messages.erase(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(prompt));
  const auto known = index > 0 ? this->prompt() : std::vector<const Message*>{};
  const bool same = index > 0 && std::equal(head.begin(), head.end(), known.begin(), known.end(),
                                            [](const Message& a, const Message* b) { return a == *b; });
  if (!same) prompt_end_ = append_chain(*filled_, -1, std::move(head));
  const std::int32_t after = prompt_end_;
  filled_->completions.push_back({after, append_chain(*filled_, after, std::move(messages))});
  return index;
}

void Draft::speaker(Entry& entry, std::string_view key, std::int32_t answer) {
  std::string name;
  const bool there = answer >= 0 && answer < std::ssize(record_->completions);
  if (!there) return;
  const std::int32_t last = record_->completions[static_cast<std::size_t>(answer)].last;
  if (!reading()) name = record_->nodes[static_cast<std::size_t>(last)].message.name;
  entry.optional_text(key, name);
  if (reading()) filled_->nodes[static_cast<std::size_t>(last)].message.name = std::move(name);
}

void Draft::reference(Entry& entry, std::string_view key) {
  std::string text = record_->answer;
  entry.optional_text(key, text);
  if (reading()) filled_->answer = std::move(text);
}

void Draft::context(Entry& entry, std::string_view key) {
  std::string text = record_->context;
  entry.optional_text(key, text);
  if (reading()) filled_->context = std::move(text);
}

void Draft::opinion(const std::function<bool(const Feedback&)>& is, const std::function<bool(Feedback&)>& map) {
  if (reading()) {
    Feedback feedback;
    if (map(feedback)) filled_->feedback.push_back(std::move(feedback));
    return;
  }
  for (std::size_t i = 0; i < used_.size(); ++i) {
    if (used_[i] || !is(record_->feedback[i])) continue;
    used_[i] = true;
    Feedback copy = record_->feedback[i];
    map(copy);
    return;
  }
}

std::size_t Draft::count(const std::function<bool(const Feedback&)>& is) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < used_.size(); ++i) count += !used_[i] && is(record_->feedback[i]) ? 1 : 0;
  return count;
}

void Draft::rating(Entry& entry, std::string_view key, const RatingOf& what) {
  opinion([&](const Feedback& feedback) { return rates(feedback, what); },
          [&](Feedback& feedback) {
            std::optional<double> value;
            if (!reading()) value = std::get<Rating>(feedback.what).value;
            what.real ? entry.real(key, value) : entry.integer(key, value);
            if (!reading() || !value) return false;
            feedback.what = Rating{what.attribute, *value, what.scale.name.empty() ? -1 : scale(what.scale)};
            feedback.on = what.on;
            feedback.annotator = what.annotator;
            if (what.scale.name.empty() ||
                ((!what.scale.low || *value >= *what.scale.low) && (!what.scale.high || *value <= *what.scale.high))) {
              return true;
            }
            entry.fail(key, "a value outside of its scale",
                       format_double(*what.scale.low) + " to " + format_double(*what.scale.high));
            return false;
          });
}

void Draft::label(Entry& entry, std::string_view key, const std::string& name, const Target& on,
                  std::int32_t annotator) {
  opinion([&](const Feedback& feedback) { return labels(feedback, name, on); },
          [&](Feedback& feedback) {
            std::string value;
            if (!reading()) value = std::get<Label>(feedback.what).value;
            entry.optional_text(key, value);
            if (!reading() || value.empty()) return false;
            feedback.what = Label{name, std::move(value)};
            feedback.on = on;
            feedback.annotator = annotator;
            return true;
          });
}

void Draft::flag(Entry& entry, std::string_view key, const std::string& name, const Target& on) {
  opinion([&](const Feedback& feedback) { return labels(feedback, name, on); },
          [&](Feedback& feedback) {
            std::optional<bool> value;
            if (!reading()) value = std::get<Label>(feedback.what).value == "true";
            entry.boolean(key, value);
            if (!reading() || !value) return false;
            feedback.what = Label{name, *value ? "true" : "false"};
            feedback.on = on;
            return true;
          });
}

void Draft::labels_of(Entry& entry, std::string_view key, std::int32_t annotator) {
  const auto is = [&](const Feedback& feedback) {
    return labels(feedback, std::string(key), {}) && feedback.annotator == annotator;
  };
  opinion(is, [&](Feedback& feedback) {
    std::string value;
    if (!reading()) value = std::get<Label>(feedback.what).value;
    entry.optional_text(key, value);
    if (!reading() || value.empty()) return false;
    feedback.what = Label{std::string(key), std::move(value)};
    feedback.annotator = annotator;
    return true;
  });
}

void Draft::critique(Entry& entry, std::string_view key, const Target& on, std::int32_t annotator) {
  const auto is = [&](const Feedback& feedback) {
    return std::holds_alternative<Critique>(feedback.what) && feedback.on == on;
  };
  opinion(is, [&](Feedback& feedback) {
    std::string text;
    if (!reading()) text = std::get<Critique>(feedback.what).text;
    entry.optional_text(key, text);
    if (!reading() || text.empty()) return false;
    feedback.what = Critique{std::move(text)};
    feedback.on = on;
    feedback.annotator = annotator;
    return true;
  });
}

void Draft::verdict(Entry& entry, std::string_view key, std::span<const OutcomeWord> words, std::int32_t annotator) {
  const auto is = [](const Feedback& feedback) { return first_two(feedback).has_value(); };
  opinion(is, [&](Feedback& feedback) {
    if (!reading()) {
      const Outcome outcome = first_two(feedback)->outcome;
      for (const OutcomeWord& word : words) {
        if (word.outcome != outcome) continue;
        entry.out(key, word.text);
        return false;
      }
      refuse();
      return false;
    }
    const Json* value = entry.in(key);
    if (value == nullptr) return false;
    for (const OutcomeWord& word : words) {
      if (!value->is_string() || value->string() != word.text) continue;
      feedback.what = Comparison{{.completion = 0}, {.completion = 1}, word.outcome};
      feedback.annotator = annotator;
      return true;
    }
    entry.fail(key, value->is_string() ? "an unknown verdict" : std::string(value->type_name()),
               "one of " + words_of(words));
    return false;
  });
}

void Draft::signed_verdict(Entry& entry, std::string_view key, std::int32_t annotator) {
  const auto is = [](const Feedback& feedback) {
    const auto two = first_two(feedback);
    return two && (two->outcome == Outcome::a || two->outcome == Outcome::b || two->outcome == Outcome::tie);
  };
  opinion(is, [&](Feedback& feedback) {
    std::optional<double> value;
    if (!reading()) {
      const Comparison two = *first_two(feedback);
      const double strength = two.strength.value_or(1);
      value = two.outcome == Outcome::tie ? 0 : two.outcome == Outcome::a ? -strength : strength;
    }
    entry.integer(key, value);
    if (!reading() || !value) return false;
    const Outcome outcome = *value == 0 ? Outcome::tie : *value < 0 ? Outcome::a : Outcome::b;
    feedback.what = Comparison{{.completion = 0}, {.completion = 1}, outcome, std::abs(*value)};
    feedback.annotator = annotator;
    return true;
  });
}

void Draft::numbered_verdict(Entry& entry, std::string_view key, const Numbers& numbers, std::int32_t annotator) {
  const auto is = [&](const Feedback& feedback) {
    const auto two = first_two(feedback);
    if (!two) return false;
    return two->outcome == Outcome::a || two->outcome == Outcome::b || (two->outcome == Outcome::tie && numbers.tie);
  };
  opinion(is, [&](Feedback& feedback) {
    std::optional<double> value;
    if (!reading()) {
      const Outcome outcome = first_two(feedback)->outcome;
      value = outcome == Outcome::a ? numbers.first : outcome == Outcome::b ? numbers.second : numbers.tie;
    }
    entry.integer(key, value);
    if (!reading() || !value) return false;
    const bool first = value == numbers.first, second = value == numbers.second;
    if (!first && !second && value != numbers.tie) {
      entry.fail(key, "a number that names no answer",
                 format_double(numbers.first) + " or " + format_double(numbers.second));
      return false;
    }
    const Outcome outcome = first ? Outcome::a : second ? Outcome::b : Outcome::tie;
    feedback.what = Comparison{{.completion = 0}, {.completion = 1}, outcome};
    feedback.annotator = annotator;
    return true;
  });
}

void Draft::implied_verdict(double first, double second) {
  opinion([](const Feedback& feedback) { return first_two(feedback).has_value(); },
          [&](Feedback& feedback) {
            const Outcome outcome = first > second ? Outcome::a : second > first ? Outcome::b : Outcome::tie;
            feedback.what = Comparison{{.completion = 0}, {.completion = 1}, outcome, std::abs(first - second)};
            return true;
          });
}

std::int32_t Draft::judge(Entry& entry, std::string_view key, Annotator::Kind kind) {
  std::string id;
  for (const Feedback& feedback : record_->feedback) {
    if (reading() || !id.empty() || feedback.annotator < 0) continue;
    id = annotator_at(feedback.annotator)->id;
  }
  entry.optional_text(key, id);
  return id.empty() || !reading() ? -1 : annotator({.kind = kind, .id = id});
}

void Draft::prefers(std::int32_t better, std::int32_t worse, std::int32_t annotator) {
  const Comparison wanted{{.completion = better}, {.completion = worse}, Outcome::a};
  bool found = reading();
  opinion([&](const Feedback& feedback) { return feedback.what == Judgement(wanted); },
          [&](Feedback& feedback) {
            found = true;
            feedback.what = wanted;
            feedback.annotator = annotator;
            return true;
          });
  if (!found) refuse();
}

std::int32_t Draft::annotator(const Annotator& annotator) {
  return reading() ? context_->builder().annotator(annotator) : -1;
}

const Annotator* Draft::annotator_at(std::int32_t index) const {
  const auto& all = reading() ? context_->builder().dataset().annotators : dataset_->annotators;
  return index < 0 ? nullptr : &all[static_cast<std::size_t>(index)];
}

std::int32_t Draft::scale(const Scale& scale) { return reading() ? context_->builder().scale(scale) : -1; }

}  // namespace attune::formats
