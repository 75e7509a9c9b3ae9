#include "attune/demo/generate.h"

#include <algorithm>
#include <cmath>

#include "attune/base/random.h"
#include "attune/demo/domain.h"
#include "attune/demo/taste.h"

namespace attune::demo {
namespace {

struct Person {
  Kind kind = Kind::terse;
  Taste taste = {};
};

struct Prompt {
  const Fact* fact = nullptr;
  std::string text = {};
};

Style random_style(Random& random) {
  const auto chance = [&](double probability) { return random.uniform() < probability; };
  Style style;
  style.courteous_opening = chance(0.25);
  style.courteous_closing = chance(0.25);
  style.reason = chance(0.35);
  style.hedged = chance(0.25);
  style.rude = chance(0.2);
  style.full_sentence = chance(0.7);
  style.wrong = chance(0.1);
  style.variant = static_cast<int>(random.below(4));
  return style;
}

std::vector<Person> make_people(const DemoOptions& options) {
  std::vector<Person> people;
  for (const Kind kind : kinds) {
    for (int i = 0; i < options.annotators_per_kind; ++i) {
      Random random(options.seed, "demo/person", {static_cast<int>(kind), i});
      Taste taste = taste_of(kind);
      for (double* weight :
           {&taste.length, &taste.courtesy, &taste.reason, &taste.hedging, &taste.rudeness, &taste.correctness}) {
        *weight *= 1 + options.individuality * random.normal();
      }
      people.push_back({kind, taste});
    }
  }
  return people;
}

std::vector<Annotator> annotators_of(const std::vector<Person>& people, int per_kind) {
  std::vector<Annotator> annotators;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::string kind(name(people[i].kind));
    annotators.push_back(
        {Annotator::rule, kind + "-" + std::to_string(i % static_cast<std::size_t>(per_kind)), {{"kind", kind}}});
  }
  return annotators;
}

// Held-out prompts are drawn fact by fact, never all of one fact.
void split_prompts(const DemoOptions& options, std::vector<Prompt>& train, std::vector<Prompt>& held_out) {
  for (std::size_t i = 0; i < facts().size(); ++i) {
    Random random(options.seed, "demo/split", {static_cast<std::int64_t>(i)});
    const std::int64_t kept = static_cast<std::int64_t>(random.below(questions_per_fact));
    for (int way = 0; way < questions_per_fact; ++way) {
      // 1 / (1 - 1/6) makes up for the one that is always kept.
      const double probability = options.held_out * questions_per_fact / (questions_per_fact - 1);
      const bool out = random.uniform() < probability && way != kept;
      (out ? held_out : train).push_back({&facts()[i], question(facts()[i], way)});
    }
  }
}

Message plain(std::string text) { return {.role = Role::plain, .content = {{.text = std::move(text)}}}; }

Record record_with(const Prompt& prompt, const std::vector<std::string>& answers, const std::string& id) {
  Record record{.id = id};
  record.nodes.push_back({.parent = -1, .message = plain(prompt.text), .source = 0});
  for (const std::string& text : answers) {
    record.nodes.push_back({.parent = 0, .message = plain(text), .source = 0});
    record.completions.push_back({0, static_cast<std::int32_t>(record.nodes.size()) - 1});
  }
  return record;
}

// One person's vote: utilities plus logistic noise, which makes P(a) = sigmoid(u_a - u_b) but for ties.
Outcome vote(const Person& person, const Features& a, const Features& b, double tie_below, Random& random) {
  const double share = std::max(random.uniform(), 1e-12);
  const double felt = person.taste.utility(a) - person.taste.utility(b) + std::log(share / (1 - share));
  return std::abs(felt) < tie_below ? Outcome::tie : felt > 0 ? Outcome::a : Outcome::b;
}

// Two different answers in random styles.
std::vector<std::string> two_answers(const Fact& fact, Random& random) {
  std::vector<std::string> answers{answer(fact, random_style(random))};
  while (answers.size() < 2) {
    std::string other = answer(fact, random_style(random));
    if (other != answers[0]) answers.push_back(std::move(other));
  }
  return answers;
}

Dataset compared(const std::vector<Prompt>& prompts, const std::vector<Person>& people, const DemoOptions& options,
                 std::string_view name) {
  Dataset dataset;
  dataset.annotators = annotators_of(people, options.annotators_per_kind);
  dataset.sources = {{.path = "attune demo", .format = "attune", .licence = "Apache-2.0"}};
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    for (int k = 0; k < options.pairs_per_prompt; ++k) {
      Random random(options.seed, name, {static_cast<std::int64_t>(i), k});
      Record record = record_with(prompts[i], two_answers(*prompts[i].fact, random),
                                  "pair-" + std::to_string(i) + "-" + std::to_string(k));
      const Features a = features_of(prompts[i].text, completion_text(record, record.completions[0]));
      const Features b = features_of(prompts[i].text, completion_text(record, record.completions[1]));
      const auto order = random.permutation(options.annotators_per_kind);
      for (int v = 0; v < options.votes_per_pair; ++v) {
        const int kind = v % static_cast<int>(kinds.size());
        const auto within = order[v / static_cast<int>(kinds.size()) % options.annotators_per_kind];
        const auto who = static_cast<std::int32_t>(kind * options.annotators_per_kind + within);
        const Outcome outcome = vote(people[who], a, b, options.tie_below, random);
        record.feedback.push_back(
            {.what = Comparison{{.completion = 0}, {.completion = 1}, outcome}, .annotator = who});
      }
      dataset.records.push_back(std::move(record));
    }
  }
  return dataset;
}

Dataset to_imitate(const std::vector<Prompt>& prompts, const DemoOptions& options) {
  Dataset dataset;
  dataset.sources = {{.path = "attune demo", .format = "attune", .licence = "Apache-2.0"}};
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    for (int k = 0; k < options.answers_per_prompt; ++k) {
      Random random(options.seed, "demo/imitate", {static_cast<std::int64_t>(i), k});
      const std::string text = answer(*prompts[i].fact, random_style(random));
      dataset.records.push_back(
          record_with(prompts[i], {text}, "answer-" + std::to_string(i) + "-" + std::to_string(k)));
    }
  }
  return dataset;
}

}  // namespace

DemoData make_demo_data(const DemoOptions& options) {
  std::vector<Prompt> train, held_out;
  split_prompts(options, train, held_out);
  const std::vector<Person> people = make_people(options);
  DemoData data;
  data.sft = to_imitate(train, options);
  data.preferences = compared(train, people, options, "demo/compare");
  data.held_out_preferences = compared(held_out, people, options, "demo/compare-held-out");
  for (const Prompt& prompt : train) data.train_prompts.push_back(prompt.text);
  for (const Prompt& prompt : held_out) data.held_out_prompts.push_back(prompt.text);
  return data;
}

}  // namespace attune::demo
