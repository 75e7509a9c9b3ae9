// How split the votes on each item are.
#include <algorithm>
#include <map>

#include "attune/statistics/answers.h"
#include "attune/statistics/ratings.h"
#include "attune/statistics/statistic.h"

namespace attune::statistics {
namespace {

class VoteEntropy final : public Statistic {
  RatingsOptions ratings_;
  IntervalOptions interval_;

 public:
  void describe(Fields& fields) {
    ratings_.describe(fields);
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Ratings ratings = read_ratings(evidence, ratings_);
    std::vector<double> entropies;
    Json rows = Json::array();
    std::int64_t unanimous = 0;
    const auto units = ratings.units();
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (units[i].size() < 2) continue;
      std::map<double, double> counts;
      for (const double value : units[i]) counts[value] += 1;
      std::vector<double> numbers;
      Json shares = Json::object();
      for (const auto& [value, count] : counts) {
        numbers.push_back(count);
        shares.set(ratings.label(value), count / static_cast<double>(units[i].size()));
      }
      entropies.push_back(entropy_bits(numbers));
      unanimous += counts.size() == 1 ? 1 : 0;
      rows.push_back(Json::object({{"item", ratings.items[i]},
                                   {"entropy_bits", entropies.back()},
                                   {"votes", units[i].size()},
                                   {"shares", std::move(shares)}}));
    }
    if (entropies.empty()) evidence.refuse("no item with two votes", "some: one vote is never split");
    const double mean = plain_mean(entropies);
    const auto interval = interval_.of_mean(entropies);
    std::ranges::stable_sort(rows.items(), [](const Json& a, const Json& b) {
      return a.find("entropy_bits")->number() > b.find("entropy_bits")->number();
    });
    ReportPage page{.json = estimate_json("vote-entropy", mean, interval), .title = "Entropy of votes"};
    page.json.set("unanimous", unanimous);
    page.json.set("n", entropies.size());
    page.json.set("items", std::move(rows));
    page.lines.push_back("Votes on an item have " + fixed(mean) + " bits of entropy on average" +
                         interval_text(interval.interval) + "; " + std::to_string(unanimous) + " of " +
                         std::to_string(entropies.size()) + " items are unanimous.");
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, vote_entropy, VoteEntropy, .summary = "how split the votes on each item are",
            .formula = "H_i = -sum_k p_ik log2 p_ik, the most split items first", .paper = "Shannon 1948");

}  // namespace attune::statistics
