// GSM8K: a question and a worked solution whose last line is "#### " and the number (Cobbe et al. 2021, arXiv
// 2110.14168). The solution is the answer to learn from, the number the reference that a verifier compares with.
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"question", Shape::text}, {"answer", Shape::text}};

void map(Entry& row, Draft& draft) {
  draft.question(row, "question");
  draft.answer(row, "answer");
  if (!draft.reading() || draft.answers() == 0) return;
  const std::string text = completion_text(draft.record(), draft.record().completions[0]);
  const std::size_t mark = text.rfind("####");
  if (mark == text.npos) return row.context().note("a solution without ####");
  const std::size_t begin = text.find_first_not_of(' ', mark + 4);
  if (begin != text.npos) draft.filled().answer = text.substr(begin, text.find_last_not_of(" \n") + 1 - begin);
}

class Gsm8k final : public TwoWayFormat {
 public:
  Gsm8k() : TwoWayFormat("gsm8k", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, gsm8k, Gsm8k, .summary = "a question and a worked solution that ends with its number (GSM8K)");

}  // namespace attune::formats
