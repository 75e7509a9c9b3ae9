// Nectar: seven models' answers to a prompt, ranked by GPT-4 from 1, the best (Zhu et al. 2023). The ranks are ratings,
// and one ranking of the whole list.
#include <algorithm>
#include <map>

#include "attune/data/formats/turns.h"
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"prompt", Shape::text}, {"answers", Shape::objects}, {"turns", Shape::integer}};

// Writing: the place of an answer in the record's ranking, from 1.
std::optional<double> rank_of(const Draft& draft, std::int32_t answer) {
  if (draft.reading()) return std::nullopt;
  for (const Feedback& feedback : draft.record().feedback) {
    const auto* ranking = std::get_if<Ranking>(&feedback.what);
    if (ranking == nullptr) continue;
    double place = 1;
    for (const auto& tier : ranking->tiers) {
      if (std::find(tier.begin(), tier.end(), Target{.completion = answer}) != tier.end()) return place;
      place += static_cast<double>(tier.size());
    }
  }
  return std::nullopt;
}

void map(Entry& row, Draft& draft) {
  marked_prompt(row, "prompt", transcript_turns, draft);
  const Annotator gpt4{.kind = Annotator::model, .id = "gpt-4"};
  std::map<double, std::vector<Target>> tiers;
  row.list("answers", draft.answers(), [&](Entry& item, std::size_t) {
    const std::int32_t answer = draft.answer(item, "answer");
    draft.speaker(item, "model", answer);
    std::optional<double> rank = rank_of(draft, answer);
    item.real("rank", rank);
    if (rank) tiers[*rank].push_back({.completion = answer});
  });
  const auto is = [](const Feedback& feedback) { return std::holds_alternative<Ranking>(feedback.what); };
  draft.opinion(is, [&](Feedback& feedback) {
    Ranking ranking;
    for (auto& [rank, targets] : tiers) ranking.tiers.push_back(std::move(targets));
    feedback.what = std::move(ranking);
    feedback.annotator = draft.annotator(gpt4);
    return true;
  });
}

class Nectar final : public TwoWayFormat {
 public:
  Nectar() : TwoWayFormat("nectar", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, nectar, Nectar, .summary = "several models' answers with their ranks (Nectar)");

}  // namespace attune::formats
