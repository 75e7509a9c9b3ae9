// Summarize-from-feedback, axis: one summary and a worker's ratings of its aspects (Stiennon et al. 2020, arXiv
// 2009.01325).
#include "attune/data/formats/summaries.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"info", Shape::object}, {"summary", Shape::object}, {"worker", Shape::text}};

void map(Entry& row, Draft& draft) {
  text_to_summarise(row, draft);
  const std::int32_t worker = draft.judge(row, "worker");
  row.object("summary", [&](Entry& summary) {
    const std::int32_t answer = summary_text(summary, draft);
    const Target on{.completion = answer};
    summary.object("axes", [&](Entry& axes) {
      const Scale scale{.name = "axis", .low = 1, .high = 7};
      for (const char* axis : {"overall", "accuracy", "coverage", "coherence"}) {
        draft.rating(axes, axis, {.attribute = axis, .on = on, .scale = scale, .annotator = worker});
      }
      draft.flag(axes, "compatible", "compatible", on);
    });
    summary_rest(summary, answer, draft);
  });
}

class SummarizeAxis final : public TwoWayFormat {
 public:
  SummarizeAxis() : TwoWayFormat("summarize-axis", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, summarize_axis, SummarizeAxis,
            .summary = "a summary rated 1 to 7 on several axes (summarize-from-feedback, axis)");

}  // namespace attune::formats
