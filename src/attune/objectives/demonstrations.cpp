#include "attune/objectives/demonstrations.h"

namespace attune::objectives {

void lay_out_demonstrations(const RecordView& record, Layout& layout) {
  for (const auto& preference : record.preferences) layout.add(record, preference.chosen, ResponseRole::chosen);
  if (!record.preferences.empty()) return;
  for (std::size_t i = 0; i < record.scored_tokens.size(); ++i) {
    if (record.thumbs.empty() || record.thumbs[i] >= 0) {
      layout.add(record, static_cast<std::int32_t>(i), ResponseRole::chosen);
    }
  }
}

}  // namespace attune::objectives
