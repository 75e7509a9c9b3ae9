#include "attune/data/formats/thumb.h"

namespace attune::formats {

void thumb(Entry& row, std::string_view key, std::int32_t answer, Draft& draft) {
  const auto is = [&](const Feedback& feedback) {
    const auto* rating = std::get_if<Rating>(&feedback.what);
    return rating != nullptr && rating->attribute == "thumb" && feedback.on == Target{.completion = answer};
  };
  draft.opinion(is, [&](Feedback& feedback) {
    std::optional<bool> liked;
    if (!draft.reading()) liked = std::get<Rating>(feedback.what).value > 0.5;
    row.boolean(key, liked);
    if (!draft.reading() || !liked) return false;
    const std::int32_t scale = draft.scale({.name = "thumb", .low = 0, .high = 1, .words = {"down", "up"}});
    feedback.what = Rating{"thumb", *liked ? 1.0 : 0.0, scale};
    feedback.on = {.completion = answer};
    return true;
  });
}

}  // namespace attune::formats
