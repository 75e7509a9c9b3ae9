// AlpacaEval's annotations: two models' outputs and a judge's preference from 1, the first, to 2, the second (Dubois et
// al. 2024, arXiv 2404.04475). The number is a rating; the comparison it implies is not written.
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"instruction", Shape::text}, {"output_1", Shape::text},    {"output_2", Shape::text},
                          {"generator_1", Shape::text}, {"generator_2", Shape::text}, {"annotator", Shape::text},
                          {"preference", Shape::any}};

void map(Entry& row, Draft& draft) {
  draft.question(row, "instruction");
  const std::int32_t first = draft.answer(row, "output_1"), second = draft.answer(row, "output_2");
  draft.speaker(row, "generator_1", first);
  draft.speaker(row, "generator_2", second);
  const std::int32_t judge = draft.judge(row, "annotator", Annotator::model);
  std::optional<double> preference;
  if (draft.reading()) row.real("preference", preference);
  draft.rating(row, "preference",
               {.attribute = "preference", .on = {.completion = second}, .annotator = judge, .real = true});
  if (preference || !draft.reading()) draft.implied_verdict(1.5, preference.value_or(0));
}

class AlpacaEvalAnnotations final : public TwoWayFormat {
 public:
  AlpacaEvalAnnotations() : TwoWayFormat("alpacaeval-annotations", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, alpacaeval_annotations, AlpacaEvalAnnotations,
            .summary = "two models' outputs and a judge's preference from 1 to 2 (AlpacaEval annotations)");

}  // namespace attune::formats
