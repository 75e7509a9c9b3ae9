#include "attune/generate/stop_strings.h"

#include <algorithm>
#include <string_view>

namespace attune {
namespace {
constexpr std::string_view half_character = "\xEF\xBF\xBD";  // U+FFFD
}

bool StopStrings::found(std::span<const std::int32_t> ids) {
  if (stops_.empty()) return false;
  const std::size_t known = whole_text_;
  text_.resize(whole_text_);
  text_ += decode_(ids.subspan(whole_ids_));
  if (!text_.ends_with(half_character)) {
    whole_text_ = text_.size();
    whole_ids_ = ids.size();
  }
  begin_ = std::string::npos;
  for (const std::string& stop : stops_) {
    // One that ends in what was known would have been found before.
    const std::size_t from = known < stop.size() ? 0 : known - stop.size() + 1;
    begin_ = std::min(begin_, text_.find(stop, from));
  }
  return begin_ != std::string::npos;
}

}  // namespace attune
