// Comparisons between prompts, and between gaps, from instructions that a program can check: MAPL's data.
#include <algorithm>

#include "attune/base/errors.h"
#include "attune/curate/constraints.h"
#include "attune/curate/operator.h"

namespace attune::curate {

enum class Place { after, before };
constexpr auto enum_names(Place) {
  return std::array{std::pair{std::string_view("after"), Place::after},
                    std::pair{std::string_view("before"), Place::before}};
}

namespace {

constexpr const char* stream = "curate/synth/constraint-prompts";

std::string sentences_of(const std::vector<Constraint>& constraints) {
  std::string text;
  for (const Constraint& constraint : constraints) text += (text.empty() ? "" : " ") + instruction(constraint);
  return text;
}

std::int32_t add_message(Record& record, std::int32_t parent, const Message& message, std::int32_t source) {
  record.nodes.push_back({.parent = parent, .message = message, .source = source});
  return static_cast<std::int32_t>(record.nodes.size()) - 1;
}

// Appends to `to` the prompt of a completion of `from` with these instructions in its last message; the node.
std::int32_t add_prompt(Record& to, const Record& from, const Completion& completion, const std::string& instructions,
                        Place place) {
  const auto messages = prompt_messages(from, completion);
  const std::int32_t source = from.nodes[static_cast<std::size_t>(completion.last)].source;
  std::int32_t node = -1;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Message message = *messages[i];
    if (i + 1 == messages.size() && !instructions.empty()) {
      if (place == Place::after) {
        message.content.push_back({.text = "\n\n" + instructions});
      } else {
        message.content.insert(message.content.begin(), {.text = instructions + "\n\n"});
      }
      // One text, as the source wrote it, unless it was a list of parts.
      if (!message.content_as_list) message.content = {{.text = text_of(message)}};
    }
    node = add_message(to, node, message, source);
  }
  return node;
}

// The answer of a completion of `from` behind a prompt of `to`; the index of the new completion.
std::int32_t add_answer(Record& to, std::int32_t prompt, const Record& from, const Completion& completion) {
  const std::int32_t source = from.nodes[static_cast<std::size_t>(completion.last)].source;
  std::int32_t node = prompt;
  for (const Message* message : completion_messages(from, completion)) node = add_message(to, node, *message, source);
  to.completions.push_back({prompt, node});
  return static_cast<std::int32_t>(to.completions.size()) - 1;
}

Comparison over(std::int32_t better, std::int32_t worse) {
  return {.a = {.completion = better}, .b = {.completion = worse}, .outcome = Outcome::a};
}

}  // namespace

class ConstraintPrompts final : public Operator {
  int constraints_ = 3;
  int broken_ = 0;
  bool prompts_ = true;
  bool gaps_ = true;
  Place place_ = Place::after;

 public:
  void describe(Fields& fields) {
    fields("constraints", constraints_, "instructions that are added to a prompt")
        .within(1, static_cast<double>(all_constraint_kinds.size()));
    fields("broken", broken_, "how many of them the answer breaks in the worse prompt; 0: drawn, 1 to all").at_least(0);
    fields("prompts", prompts_, "compare each chosen answer under a prompt that it obeys with one that it does not");
    fields("gaps", gaps_,
           "compare both answers again under constraints that the chosen one obeys and the other breaks");
    fields("place", place_, "of the instructions in the prompt's last message");
  }

  void check() const override {
    if (broken_ > constraints_) {
      throw ConfigError({.field = "broken"}, std::to_string(broken_),
                        "at most constraints, " + std::to_string(constraints_));
    }
    if (!prompts_ && !gaps_) throw ConfigError({.field = "gaps"}, "neither prompts nor gaps", "one of them or both");
  }

  void apply(std::span<Record> records, const Stretch& stretch, Sink& sink) const override {
    const std::int32_t annotator = sink.annotator({.kind = Annotator::rule, .id = "synth/constraint-prompts"});
    for (std::size_t i = 0; i < records.size(); ++i) {
      Random random(stretch.seed, stream, {stretch.first + static_cast<std::int64_t>(i)});
      Record& record = records[i];
      const std::vector<Pair> compared = pairs(record);
      if (compared.empty()) sink.count("records without a comparison, as they were");
      std::vector<Record> made;
      if (prompts_) {
        for (const Pair& pair : compared) made.push_back(prompt_pair(record, pair, made.size(), annotator, random));
      }
      sink.count("comparisons of prompts", std::ssize(made));
      // MAPL takes the first comparison of a record for the original of the others: a gap needs a record of one.
      if (gaps_ && compared.size() == 1 && !textless(record)) {
        sink.count(add_gap(record, compared.front(), annotator, random) ? "comparisons of gaps"
                                                                        : "gaps without a constraint that divides");
      }
      sink.keep(std::move(record));
      for (Record& one : made) sink.keep(std::move(one));
    }
  }

 private:
  static bool textless(const Record& record) {
    return std::any_of(record.completions.begin(), record.completions.end(),
                       [&](const Completion& one) { return prompt_messages(record, one).empty(); });
  }

  // The chosen answer under a prompt whose constraints it obeys, over itself under one that it breaks.
  Record prompt_pair(const Record& record, const Pair& pair, std::size_t number, std::int32_t annotator,
                     Random& random) const {
    const Completion& answer = record.completions[static_cast<std::size_t>(pair.chosen)];
    const auto count = static_cast<std::size_t>(constraints_);
    const std::size_t broken = broken_ > 0 ? static_cast<std::size_t>(broken_) : 1 + random.below(count);
    const ConstraintLists lists = draw_constraints(count, broken, completion_text(record, answer), random);
    Record made{.id = record.id.empty() ? "" : record.id + "/prompts-" + std::to_string(number)};
    const auto side = [&](const std::vector<Constraint>& constraints) {
      return add_answer(made, add_prompt(made, record, answer, sentences_of(constraints), place_), record, answer);
    };
    const std::int32_t better = side(lists.obeyed), worse = side(lists.broken);
    made.feedback.push_back({.what = over(better, worse), .annotator = annotator});
    return made;
  }

  // Adds both answers under constraints that widen their gap; false where no constraint drawn divides them.
  bool add_gap(Record& record, const Pair& pair, std::int32_t annotator, Random& random) const {
    const Completion chosen = record.completions[static_cast<std::size_t>(pair.chosen)];
    const Completion rejected = record.completions[static_cast<std::size_t>(pair.rejected)];
    const std::string good = completion_text(record, chosen), bad = completion_text(record, rejected);
    std::vector<Constraint> dividing;
    const auto order = random.permutation(static_cast<std::int64_t>(all_constraint_kinds.size()));
    for (const std::int64_t kind : order) {
      constexpr int tries = 8;  // of numbers and words
      for (int i = 0; i < tries && std::ssize(dividing) < constraints_; ++i) {
        const Constraint constraint =
            draw_constraint(all_constraint_kinds[static_cast<std::size_t>(kind)], true, good, random);
        if (obeys(bad, constraint)) continue;
        dividing.push_back(constraint);
        break;
      }
    }
    if (dividing.empty()) return false;
    const Record given = record;
    const std::int32_t prompt = add_prompt(record, given, chosen, sentences_of(dividing), place_);
    const std::int32_t better = add_answer(record, prompt, given, chosen),
                       worse = add_answer(record, prompt, given, rejected);
    record.feedback.push_back({.what = over(better, worse), .annotator = annotator});
    return true;
  }
};

ATTUNE_PART(
    Operator, synth_constraint_prompts, ConstraintPrompts,
    .summary =
        "adds checkable instructions to prompts: comparisons of two prompts to one answer, and of gaps, for mapl",
    .formula =
        "(x + obeyed; y) over (x + broken; y);  (x + C; c, r) wider than (x; c, r) where c obeys C and r does not",
    .paper =
        "Sun et al. 2025, Multi-Level Aware Preference Learning: Enhancing RLHF for Complex Multi-Instruction "
        "Tasks, arXiv:2505.12845");

}  // namespace attune::curate
