#include "attune/evals/table_judges.h"

namespace attune {

std::vector<std::pair<std::string, std::vector<const EvidenceRow*>>> rows_by(const std::vector<EvidenceRow>& rows,
                                                                             const std::string& column) {
  Names names;
  std::vector<std::pair<std::string, std::vector<const EvidenceRow*>>> result;
  for (const EvidenceRow& row : rows) {
    const auto place =
        static_cast<std::size_t>(names.add(row.value.find(column) == nullptr ? std::string() : text_in(row, column)));
    if (place == result.size()) result.emplace_back(names[static_cast<std::int32_t>(place)], 0);
    result[place].second.push_back(&row);
  }
  return result;
}

}  // namespace attune
