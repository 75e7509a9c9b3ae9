// Arena-Hard's questions: a prompt with its category (Li et al. 2024, arXiv 2406.11939).
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"uid", Shape::text}, {"category", Shape::text}, {"prompt", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "uid");
  draft.question(row, "prompt");
}

class ArenaHardQuestions final : public TwoWayFormat {
 public:
  ArenaHardQuestions() : TwoWayFormat("arena-hard-questions", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, arena_hard_questions, ArenaHardQuestions, .summary = "prompts with a category (Arena-Hard)");

}  // namespace attune::formats
