// Whether longer answers win: the bias that reward models learn first.
#include <algorithm>
#include <array>
#include <cmath>

#include "attune/reports/report.h"

namespace attune::reports {
namespace {

std::int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// By how much the lengths differ, as a ratio longer / shorter.
struct Bucket {
  const char* label;
  double below;
};
constexpr Bucket buckets[] = {{"up to 1.1 times as long", 1.1},
                              {"1.1 to 1.5 times", 1.5},
                              {"1.5 to 2 times", 2},
                              {"2 to 4 times", 4},
                              {"over 4 times", 1e300}};

class LengthBias final : public Report {
 public:
  ReportPage run(const Dataset& dataset) const override {
    Share longer;
    std::array<Share, std::size(buckets)> by_ratio;
    double chosen_sum = 0, rejected_sum = 0;
    std::int64_t count = 0, ties = 0;
    for (const Record& record : dataset.records) {
      for (const Pair& pair : pairs(record)) {
        const auto chosen = characters(completion_text(record, record.completions[pair.chosen]));
        const auto rejected = characters(completion_text(record, record.completions[pair.rejected]));
        chosen_sum += static_cast<double>(chosen);
        rejected_sum += static_cast<double>(rejected);
        ++count;
        longer.add(chosen > rejected);  // a tie counts as not longer
        ties += chosen == rejected ? 1 : 0;
        if (chosen == rejected) continue;
        const double ratio = static_cast<double>(std::max(chosen, rejected)) /
                             static_cast<double>(std::max<std::int64_t>(std::min(chosen, rejected), 1));
        std::size_t bucket = 0;
        while (ratio >= buckets[bucket].below) ++bucket;
        by_ratio[bucket].add(chosen > rejected);
      }
    }
    return page_of(longer, by_ratio, {chosen_sum, rejected_sum}, count, ties);
  }

 private:
  static ReportPage page_of(const Share& longer, const std::array<Share, std::size(buckets)>& by_ratio,
                            std::pair<double, double> sums, std::int64_t count, std::int64_t ties) {
    ReportPage page{.title = "Length bias"};
    const auto mean = [&](double sum) { return count > 0 ? Json(sum / static_cast<double>(count)) : Json(); };
    Json rows = Json::array();
    Chart chart{.title = "Share of pairs whose longer answer was chosen, by how much longer it is"};
    for (std::size_t i = 0; i < std::size(buckets); ++i) {
      Json row = share_json(by_ratio[i]);
      row.set("ratio", buckets[i].label);
      rows.push_back(std::move(row));
      if (by_ratio[i].trials > 0) chart.bars.push_back(share_bar(buckets[i].label, by_ratio[i]));
    }
    page.json = Json::object({{"name", "length-bias"},
                              {"pairs", count},
                              {"ties", ties},
                              {"chosen_longer", share_json(longer)},
                              {"mean_characters_chosen", mean(sums.first)},
                              {"mean_characters_rejected", mean(sums.second)},
                              {"by_ratio", std::move(rows)}});
    if (count == 0) {
      page.lines.push_back("There are no decided pairs.");
      return page;
    }
    const Interval interval = longer.interval();
    page.lines.push_back("The chosen answer is the longer one in " + percent(longer.value()) + " of " +
                         std::to_string(count) + " decided pairs (95 % interval " + percent(interval.low) + " to " +
                         percent(interval.high) + ").");
    const auto rounded = [&](double sum) {
      return format_double(std::round(sum / static_cast<double>(count) * 10) / 10);
    };
    page.lines.push_back("Chosen answers have " + rounded(sums.first) + " characters on average, rejected ones " +
                         rounded(sums.second) + ".");
    if (!chart.bars.empty()) page.charts.push_back(std::move(chart));
    return page;
  }
};

}  // namespace

ATTUNE_PART(Report, length_bias, LengthBias, .summary = "whether longer answers are chosen more often",
            .formula = "P(characters of chosen > characters of rejected) with its Wilson interval",
            .paper = "Wilson 1927");

}  // namespace attune::reports
