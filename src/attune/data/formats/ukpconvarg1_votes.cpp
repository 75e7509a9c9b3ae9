// UKPConvArg1's crowd: one worker's vote on a pair of arguments, known by their ids, with a reason and the competence
// that MACE estimated (Habernal and Gurevych 2016, ACL).
#include "attune/data/formats/two_way.h"
#include "attune/data/formats/unseen.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"pair", Shape::text}, {"worker", Shape::text}, {"value", Shape::text}};

constexpr OutcomeWord words[] = {{"a1", Outcome::a}, {"a2", Outcome::b}, {"equal", Outcome::tie}};

void arguments(Entry& row, Draft& draft) {
  if (!draft.reading()) {
    if (unseen_name(draft, 0) + '_' + unseen_name(draft, 1) != draft.record().id) draft.refuse();
    return;
  }
  const std::string& pair = draft.record().id;
  const std::size_t middle = pair.find('_');
  if (middle == std::string::npos) return row.fail("pair", "no two ids", "arg1_arg2");
  add_unseen_answer(draft, pair.substr(0, middle));
  add_unseen_answer(draft, pair.substr(middle + 1));
}

void vote(Entry& row, std::int32_t worker, Draft& draft) {
  draft.opinion(compares_first_two, [&](Feedback& feedback) {
    std::string value;
    if (!draft.reading()) {
      for (const OutcomeWord& word : words) {
        if (word.outcome == std::get<Comparison>(feedback.what).outcome) value = word.text;
      }
      if (value.empty()) draft.refuse();
    }
    row.text("value", value);
    row.real("mace_competence", feedback.confidence);
    row.optional_text("reason", feedback.why);
    if (!draft.reading()) return false;
    for (const OutcomeWord& word : words) {
      if (word.text != value) continue;
      feedback.what = Comparison{{.completion = 0}, {.completion = 1}, word.outcome};
      feedback.annotator = worker;
      return true;
    }
    row.fail("value", "an unknown verdict", "a1, a2 or equal");
    return false;
  });
}

void map(Entry& row, Draft& draft) {
  draft.identity(row, "pair");
  arguments(row, draft);
  vote(row, draft.judge(row, "worker", Annotator::crowd), draft);
}

class UkpConvArg1Votes final : public TwoWayFormat {
 public:
  UkpConvArg1Votes() : TwoWayFormat("ukpconvarg1-votes", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, ukpconvarg1_votes, UkpConvArg1Votes,
            .summary = "a worker's vote on two arguments, by their ids (UKPConvArg1, votes)");

}  // namespace attune::formats
