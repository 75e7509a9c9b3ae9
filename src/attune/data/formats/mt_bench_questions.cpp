// MT-bench's questions, and Arena-Hard v0.1's: what the user asks, turn by turn (Zheng et al. 2023, arXiv 2306.05685).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"question_id", Shape::any}, {"category", Shape::text}, {"turns", Shape::list}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "question_id");
  std::vector<std::string> texts;
  if (!draft.reading()) {
    for (const Message* message : draft.prompt()) {
      const auto text = only_text(*message);
      if (!text || message->role != Role::user) draft.refuse();
      texts.push_back(text.value_or(""));
    }
    return row.texts("turns", texts);
  }
  row.texts("turns", texts);
  if (texts.empty()) row.fail("turns", "an empty list", "what the user asks");
  std::vector<Message> turns;
  for (std::string& text : texts) {
    turns.push_back({.role = Role::user, .content = {{.text = std::move(text)}}});
  }
  draft.add_prompt(std::move(turns));
}

class MtBenchQuestions final : public TwoWayFormat {
 public:
  MtBenchQuestions() : TwoWayFormat("mt-bench-questions", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, mt_bench_questions, MtBenchQuestions,
            .summary = "questions of several turns (MT-bench, Arena-Hard v0.1)");

}  // namespace attune::formats
