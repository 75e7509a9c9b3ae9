// Summarize-from-feedback, comparisons: two summaries and the worker's choice (Stiennon et al. 2020, arXiv 2009.01325).
#include "attune/data/formats/summaries.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"info", Shape::object}, {"summaries", Shape::objects}, {"choice", Shape::integer}, {"worker", Shape::text}};

void map(Entry& row, Draft& draft) {
  text_to_summarise(row, draft);
  row.list("summaries", draft.answers(), [&](Entry& item, std::size_t) {
    const std::int32_t answer = summary_text(item, draft);
    summary_rest(item, answer, draft);
  });
  if (draft.reading() && draft.answers() != 2) row.fail("summaries", "another number of summaries", "two");
  const std::int32_t worker = draft.judge(row, "worker");
  draft.numbered_verdict(row, "choice", {.first = 0, .second = 1}, worker);
}

class SummarizeComparisons final : public TwoWayFormat {
 public:
  SummarizeComparisons() : TwoWayFormat("summarize-comparisons", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, summarize_comparisons, SummarizeComparisons,
            .summary = "two summaries and a worker's choice (summarize-from-feedback, comparisons)");

}  // namespace attune::formats
