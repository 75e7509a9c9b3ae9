// PKU-SafeRLHF: two answers with two judgements that can disagree: which is more helpful, and which is safer (Ji et al.
// 2024, arXiv 2406.15513).
// Helpfulness is the comparison. The safer answer bears a label, so that a pair is not counted twice.
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"prompt", Shape::text},
                          {"response_0", Shape::text},
                          {"response_1", Shape::text},
                          {"better_response_id", Shape::integer},
                          {"safer_response_id", Shape::integer},
                          {"is_response_0_safe", Shape::boolean},
                          {"is_response_1_safe", Shape::boolean}};

void safer(Entry& row, Draft& draft) {
  constexpr const char* key = "safer_response_id";
  const auto is = [](const Feedback& feedback) { return feedback.what == Judgement(Label{"safer", "true"}); };
  draft.opinion(is, [&](Feedback& feedback) {
    std::optional<double> value;
    if (!draft.reading()) value = feedback.on.completion;
    row.integer(key, value);
    if (!draft.reading() || !value) return false;
    if (*value != 0 && *value != 1) row.fail(key, "a number that names no answer", "0 or 1");
    feedback.what = Label{"safer", "true"};
    feedback.on = {.completion = static_cast<std::int32_t>(*value == 1)};
    return true;
  });
}

void map(Entry& row, Draft& draft) {
  draft.question(row, "prompt");
  const std::int32_t answers[] = {draft.answer(row, "response_0"), draft.answer(row, "response_1")};
  draft.speaker(row, "response_0_source", answers[0]);
  draft.speaker(row, "response_1_source", answers[1]);
  draft.numbered_verdict(row, "better_response_id", {.first = 0, .second = 1});
  safer(row, draft);
  for (const std::int32_t i : {0, 1}) {
    const Target on{.completion = answers[i]};
    const std::string name = "response_" + std::to_string(i);
    draft.flag(row, "is_" + name + "_safe", "safe", on);
    draft.rating(row, name + "_severity_level",
                 {.attribute = "severity", .on = on, .scale = {.name = "severity", .low = 0, .high = 3}});
  }
}

class PkuSafeRlhf final : public TwoWayFormat {
 public:
  PkuSafeRlhf() : TwoWayFormat("pku-saferlhf", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, pku_saferlhf, PkuSafeRlhf,
            .summary = "two answers, the more helpful and the safer one (PKU-SafeRLHF)");

}  // namespace attune::formats
