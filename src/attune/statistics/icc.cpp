// The six intraclass correlations of Shrout and Fleiss.
#include <algorithm>

#include "attune/statistics/answers.h"
#include "attune/statistics/ratings.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/intraclass.h"

namespace attune::statistics {
namespace {

class Icc final : public Statistic {
  RatingsOptions ratings_;
  double level_ = 0.95;

 public:
  void describe(Fields& fields) {
    ratings_.describe(fields);
    fields("level", level_, "of the intervals").between(0, 1);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    if (!ratings.labels.empty()) evidence.refuse("ratings that are words", "numbers");
    bool crossed = true;
    auto table = complete(ratings);
    if (table.size() < 2) {
      table = ratings.units();
      crossed = false;
    }
    const bool even = std::all_of(table.begin(), table.end(),
                                  [&](const auto& row) { return row.size() == table[0].size() && row.size() >= 2; });
    if (table.size() < 2 || !even) {
      evidence.refuse("no two items that all annotators rated, and unequal numbers of ratings an item",
                      "a full table, or as many ratings of every item", "drop annotators who rated few items");
    }
    return page_of(table, crossed, ratings.items.size());
  }

 private:
  // The items that everybody rated, annotators in order.
  static std::vector<std::vector<double>> complete(const Ratings& ratings) {
    std::vector<std::vector<double>> rows;
    for (std::vector<Vote>& votes : ratings.votes_by_item()) {
      if (votes.size() != ratings.annotators.size()) continue;
      std::ranges::sort(votes, {}, &Vote::rater);
      rows.emplace_back();
      for (const Vote& vote : votes) rows.back().push_back(vote.value);
    }
    return rows;
  }

  ReportPage page_of(const std::vector<std::vector<double>>& table, bool crossed, std::size_t items) const {
    ReportPage page{.title = "Intraclass correlations"};
    Json values = Json::array();
    for (const IntraclassCorrelation& one : intraclass_correlations(table, level_)) {
      if (!crossed && one.name[4] != '1') continue;  // of other raters each time, only the one-way case means something
      values.push_back(Json::object({{"case", one.name},
                                     {"value", one.value},
                                     {"interval", interval_json(one.interval)},
                                     {"f", one.f},
                                     {"freedom", Json::Array{one.first_freedom, one.second_freedom}},
                                     {"p", one.p}}));
      page.lines.push_back(std::string(one.name) + "  " + fixed(one.value) + interval_text(one.interval) +
                           ", p = " + fixed(one.p, 4));
    }
    if (!crossed) page.lines.push_back("No common set of annotators: only the one-way cases are defined.");
    page.json = Json::object({{"name", "icc"},
                              {"values", std::move(values)},
                              {"items", table.size()},
                              {"items_left_out", items - table.size()},
                              {"ratings_an_item", table[0].size()},
                              {"same_annotators", crossed}});
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, icc, Icc, .summary = "how much of the spread of numeric ratings is the items' own: six cases",
            .formula =
                "ICC(1,1) = (MSB - MSW) / (MSB + (k - 1) MSW); (2,1) counts the annotators' levels as error, (3,1) "
                "does not; (.,k) of the mean of k",
            .paper = "Shrout and Fleiss 1979");

}  // namespace attune::statistics
