#include "attune/data/formats/answer_lists.h"

namespace attune::formats {
namespace {

bool is_two_tiers(const Feedback& feedback) {
  const auto* ranking = std::get_if<Ranking>(&feedback.what);
  return ranking != nullptr && ranking->tiers.size() == 2;
}

void read_tier(Entry& row, const char* key, std::vector<Target>& tier, Draft& draft) {
  std::vector<std::string> texts;
  row.texts(key, texts);
  for (std::string& text : texts) tier.push_back({.completion = draft.add_answer(std::move(text))});
}

void write_tier(Entry& row, const char* key, const std::vector<Target>& tier, Draft& draft) {
  std::vector<std::string> texts;
  for (const Target& target : tier) {
    if (target.completion < 0) return draft.refuse();
    texts.push_back(draft.answer_text(target.completion));
  }
  row.texts(key, texts);
}

}  // namespace

void chosen_and_rejected_lists(Entry& row, Draft& draft) {
  bool written = draft.reading();
  draft.opinion(is_two_tiers, [&](Feedback& feedback) {
    if (draft.reading()) {
      Ranking ranking{.tiers = {{}, {}}};
      read_tier(row, "chosen", ranking.tiers[0], draft);
      read_tier(row, "rejected", ranking.tiers[1], draft);
      feedback.what = std::move(ranking);
      return true;
    }
    const auto& tiers = std::get<Ranking>(feedback.what).tiers;
    if (tiers[0].size() + tiers[1].size() != draft.answers()) draft.refuse();
    write_tier(row, "chosen", tiers[0], draft);
    write_tier(row, "rejected", tiers[1], draft);
    written = true;
    return false;
  });
  if (!written) draft.refuse();
}

}  // namespace attune::formats
