// How far the annotators of a data set agree: over all, by pair of annotators, by what is known of them, by item.
#include <algorithm>
#include <cmath>
#include <map>

#include "attune/reports/compared_items.h"
#include "attune/reports/report.h"

namespace attune::reports {
namespace {

std::vector<double> counts_of(const ComparedItem& item) {
  std::map<double, double> counts;
  for (const Vote& vote : item.votes) counts[vote.value] += 1;
  std::vector<double> result;
  for (const auto& [value, count] : counts) result.push_back(count);
  return result;
}

// What groups an annotator belongs to: its kind and each trait.
std::vector<std::pair<std::string, std::string>> groups_of(const Annotator& annotator) {
  auto groups = annotator.traits;
  groups.emplace_back("annotator", name(annotator.kind));
  return groups;
}

template <class Visit>
void each_pair(const std::vector<ComparedItem>& items, Visit visit) {
  for (const ComparedItem& item : items) {
    for (std::size_t i = 0; i < item.votes.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (item.votes[i].rater != item.votes[j].rater) visit(item.votes[j], item.votes[i]);
      }
    }
  }
}

class Disagreement final : public Report {
 public:
  ReportPage run(const Dataset& dataset) const override {
    ReportPage page{.title = "Disagreement"};
    const std::vector<ComparedItem> items = compared_items(dataset);
    whole(items, page);
    by_group(items, dataset, page);
    by_pair(items, dataset, page);
    by_item(items, page);
    return page;
  }

 private:
  static void whole(const std::vector<ComparedItem>& items, ReportPage& page) {
    std::vector<Vote> votes;
    std::vector<std::vector<double>> units;
    std::int64_t several = 0;
    for (const ComparedItem& item : items) {
      votes.insert(votes.end(), item.votes.begin(), item.votes.end());
      units.emplace_back();
      for (const Vote& vote : item.votes) units.back().push_back(vote.value);
      several += item.votes.size() > 1 ? 1 : 0;
    }
    const Share agreement = pairwise_agreement(votes);
    const double alpha = krippendorff_alpha(units, Metric::nominal);
    page.json = Json::object({{"name", "disagreement"},
                              {"items", items.size()},
                              {"items_with_several_votes", several},
                              {"votes", votes.size()},
                              {"agreement", share_json(agreement)},
                              {"alpha", alpha}});
    if (several == 0) {
      page.lines.push_back("No item was judged by more than one annotator: nothing can be said about disagreement.");
      return;
    }
    const Interval interval = agreement.interval();
    page.lines.push_back("Two people who judged the same pair of answers agree in " + percent(agreement.value()) +
                         " of the cases (95 % interval " + percent(interval.low) + " to " + percent(interval.high) +
                         ", " + std::to_string(votes.size()) + " votes on " + std::to_string(items.size()) +
                         " items).");
    if (std::isfinite(alpha)) {
      page.lines.push_back("Krippendorff's alpha (nominal) is " + format_double(std::round(alpha * 1000) / 1000) +
                           ": 1 is full agreement, 0 what chance gives.");
    }
  }

  // Inside of one group and across two, for each trait.
  static void by_group(const std::vector<ComparedItem>& items, const Dataset& dataset, ReportPage& page) {
    std::map<std::string, std::map<std::pair<std::string, std::string>, Share>> traits;
    std::vector<std::map<std::string, std::string>> groups;
    for (const Annotator& annotator : dataset.annotators) {
      const auto pairs_of = groups_of(annotator);
      groups.emplace_back(pairs_of.begin(), pairs_of.end());
    }
    each_pair(items, [&](const Vote& a, const Vote& b) {
      for (const auto& [trait, group] : groups[a.rater]) {
        const auto other = groups[b.rater].find(trait);
        if (other == groups[b.rater].end()) continue;
        const auto pair = std::minmax(group, other->second);
        traits[trait][{pair.first, pair.second}].add(a.value == b.value);
      }
    });
    Json json = Json::object();
    for (const auto& [trait, table] : traits) {
      Json rows = Json::array();
      Share inside, across;
      Chart chart{.title = "Agreement by " + trait};
      for (const auto& [pair, share] : table) {
        Share& sum = pair.first == pair.second ? inside : across;
        sum.successes += share.successes;
        sum.trials += share.trials;
        rows.push_back(
            Json::object({{"groups", Json::Array{pair.first, pair.second}}, {"agreement", share_json(share)}}));
        chart.bars.push_back(
            share_bar(pair.first == pair.second ? "inside " + pair.first : pair.first + " and " + pair.second, share));
      }
      json.set(
          trait,
          Json::object({{"inside", share_json(inside)}, {"across", share_json(across)}, {"pairs", std::move(rows)}}));
      if (across.trials == 0) continue;
      page.lines.push_back("By " + trait + ": people of one group agree in " + percent(inside.value()) +
                           ", of different groups in " + percent(across.value()) + " of the cases.");
      page.charts.push_back(std::move(chart));
    }
    page.json.set("groups", std::move(json));
  }

  // The pairs of annotators that agree least, with at least five common items.
  static void by_pair(const std::vector<ComparedItem>& items, const Dataset& dataset, ReportPage& page) {
    constexpr double least_items = 5;
    constexpr std::size_t most_bars = 10;
    std::map<std::pair<std::int32_t, std::int32_t>, Share> table;
    each_pair(items, [&](const Vote& a, const Vote& b) {
      const auto pair = std::minmax(a.rater, b.rater);
      table[{pair.first, pair.second}].add(a.value == b.value);
    });
    std::vector<std::pair<std::string, Share>> rows;
    Json json = Json::array();
    const auto label = [&](std::int32_t annotator) {
      const std::string& id = dataset.annotators[annotator].id;
      return id.empty() ? std::to_string(annotator) : id;
    };
    for (const auto& [pair, share] : table) {
      json.push_back(Json::object(
          {{"annotators", Json::Array{label(pair.first), label(pair.second)}}, {"agreement", share_json(share)}}));
      if (share.trials >= least_items) rows.emplace_back(label(pair.first) + " and " + label(pair.second), share);
    }
    page.json.set("pairs", std::move(json));
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.second.value() < b.second.value(); });
    if (rows.size() > most_bars) rows.resize(most_bars);
    Chart chart{.title = "The pairs of annotators that agree least"};
    for (const auto& [text, share] : rows) chart.bars.push_back(share_bar(text, share));
    if (!chart.bars.empty()) page.charts.push_back(std::move(chart));
  }

  static void by_item(const std::vector<ComparedItem>& items, ReportPage& page) {
    constexpr std::size_t most_listed = 20;
    std::vector<std::pair<double, const ComparedItem*>> split;
    double sum = 0, several = 0, unanimous = 0;
    for (const ComparedItem& item : items) {
      if (item.votes.size() < 2) continue;
      const double entropy = entropy_bits(counts_of(item));
      sum += entropy;
      several += 1;
      unanimous += entropy == 0 ? 1 : 0;
      if (entropy > 0) split.emplace_back(entropy, &item);
    }
    std::stable_sort(split.begin(), split.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    Json listed = Json::array();
    for (std::size_t i = 0; i < std::min(split.size(), most_listed); ++i) {
      listed.push_back(Json::object({{"record", split[i].second->record},
                                     {"votes", split[i].second->votes.size()},
                                     {"entropy_bits", split[i].first}}));
    }
    page.json.set("split_items", split.size());
    page.json.set("unanimous_items", static_cast<std::int64_t>(unanimous));
    page.json.set("mean_entropy_bits", several > 0 ? Json(sum / several) : Json());
    page.json.set("most_split", std::move(listed));
    if (several == 0) return;
    page.lines.push_back(std::to_string(split.size()) + " of " + std::to_string(static_cast<std::int64_t>(several)) +
                         " items with several votes are split; the votes on an item have " +
                         format_double(std::round(sum / several * 100) / 100) + " bits of entropy on average.");
  }
};

}  // namespace

ATTUNE_PART(Report, disagreement, Disagreement,
            .summary = "how far annotators agree, over all, by group, by pair and by item",
            .formula = "agreement: share of equal pairs of votes on one item, Wilson interval; alpha = 1 - Do / De",
            .paper = "Krippendorff 2011, Computing Krippendorff's alpha-reliability; Wilson 1927");

}  // namespace attune::reports
