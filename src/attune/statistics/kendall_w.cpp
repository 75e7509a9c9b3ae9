// Kendall's W: whether several annotators rank the same items alike.
#include <algorithm>

#include "attune/statistics/answers.h"
#include "attune/statistics/ratings.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/ranks.h"

namespace attune::statistics {
namespace {

class KendallW final : public Statistic {
  RatingsOptions ratings_;

 public:
  void describe(Fields& fields) { ratings_.describe(fields); }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    std::vector<std::vector<double>> columns(ratings.annotators.size());
    for (std::vector<Vote>& votes : ratings.votes_by_item()) {
      if (votes.size() != columns.size()) continue;
      for (const Vote& vote : votes) columns[static_cast<std::size_t>(vote.rater)].push_back(vote.value);
    }
    const Concordance result = kendall_w(columns);
    if (columns[0].size() < 2 || !(result.w >= 0)) {
      evidence.refuse("no two items that all annotators rated and did not all tie", "at least two",
                      "drop annotators who rated few items");
    }
    ReportPage page{.title = "Kendall's W"};
    page.json = Json::object({{"name", "kendall-w"},
                              {"value", result.w},
                              {"chi_squared", result.chi_squared},
                              {"freedom", result.freedom},
                              {"p", result.p},
                              {"items", columns[0].size()},
                              {"items_left_out", ratings.items.size() - columns[0].size()},
                              {"annotators", columns.size()}});
    page.lines.push_back("Kendall's W " + fixed(result.w) + " of " + std::to_string(columns.size()) +
                         " annotators and " + std::to_string(columns[0].size()) + " items (p = " + fixed(result.p, 4) +
                         " if they shared nothing).");
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, kendall_w, KendallW, .summary = "whether several annotators put the same items in one order",
            .formula = "W = (12 sum R_i^2 - 3 m^2 n (n + 1)^2) / (m^2 n (n^2 - 1) - m sum (t^3 - t))",
            .paper = "Kendall and Smith 1939");

}  // namespace attune::statistics
