// MultiPref: two answers judged by four people, two of them experts, overall and on three aspects (Miranda et al. 2024,
// arXiv 2410.19133).
// Each overall preference is one person's comparison (clearly better: strength 2, slightly: 1); aspects are labels of
// that person's.
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"text", Shape::text},
                          {"completion_a", Shape::text},
                          {"completion_b", Shape::text},
                          {"normal_worker_annotations", Shape::list},
                          {"expert_worker_annotations", Shape::list}};

struct Word {
  std::string_view text;
  Outcome outcome;
  double strength;
};
constexpr Word words[] = {{"A-is-clearly-better", Outcome::a, 2},
                          {"A-is-slightly-better", Outcome::a, 1},
                          {"Tie", Outcome::tie, 0},
                          {"B-is-slightly-better", Outcome::b, 1},
                          {"B-is-clearly-better", Outcome::b, 2}};

// One person's overall preference; false when it says nothing.
bool preference(Entry& item, Feedback& feedback, Draft& draft) {
  std::string text;
  if (!draft.reading()) {
    const auto& comparison = std::get<Comparison>(feedback.what);
    for (const Word& word : words) {
      const bool same = word.outcome == comparison.outcome && word.strength == comparison.strength.value_or(0);
      if (same) text = word.text;
    }
    if (text.empty()) draft.refuse();
  }
  item.text("overall_pref", text);
  item.integer("time_spent", feedback.seconds);
  if (!draft.reading()) return false;
  for (const Word& word : words) {
    if (word.text != text) continue;
    feedback.what = Comparison{{.completion = 0}, {.completion = 1}, word.outcome, word.strength};
    return true;
  }
  item.fail("overall_pref", "an unknown verdict", "A-is-clearly-better, A-is-slightly-better, Tie, B-is-...");
  return false;
}

void workers(Entry& row, const char* key, const char* group, Draft& draft) {
  const auto of_group = [&](const Feedback& feedback) {
    const Annotator* who = draft.annotator_at(feedback.annotator);
    return std::holds_alternative<Comparison>(feedback.what) && who != nullptr && !who->traits.empty() &&
           who->traits[0] == std::pair<std::string, std::string>("group", group);
  };
  row.list(key, draft.reading() ? 0 : draft.count(of_group), [&](Entry& item, std::size_t) {
    std::int32_t worker = -1;
    std::string id;
    if (draft.reading()) {
      item.text("evaluator", id);
      worker = draft.annotator({.kind = Annotator::human, .id = id, .traits = {{"group", group}}});
    }
    draft.opinion(of_group, [&](Feedback& feedback) {
      if (!draft.reading()) {
        worker = feedback.annotator;
        item.out("evaluator", draft.annotator_at(worker)->id);
      }
      const bool says = preference(item, feedback, draft);
      feedback.annotator = worker;
      for (const char* aspect : {"helpful_pref", "truthful_pref", "harmless_pref", "overall_confidence"}) {
        draft.labels_of(item, aspect, worker);
      }
      item.rest(feedback.extra_json);
      return says;
    });
  });
}

void map(Entry& row, Draft& draft) {
  draft.identity(row, "comparison_id");
  draft.question(row, "text");
  const std::int32_t a = draft.answer(row, "completion_a"), b = draft.answer(row, "completion_b");
  draft.speaker(row, "model_a", a);
  draft.speaker(row, "model_b", b);
  workers(row, "normal_worker_annotations", "normal", draft);
  workers(row, "expert_worker_annotations", "expert", draft);
}

class MultiPref final : public TwoWayFormat {
 public:
  MultiPref() : TwoWayFormat("multipref", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, multipref, MultiPref, .summary = "two answers judged by normal and expert workers (MultiPref)");

}  // namespace attune::formats
