// Plackett and Luce's ratings from rankings of several.
#include <algorithm>
#include <cmath>
#include <map>

#include "attune/statistics/answers.h"
#include "attune/statistics/battles.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/bradley_terry.h"
#include "attune/stats/plackett_luce.h"

namespace attune::statistics {
namespace {

struct Rankings {
  std::vector<RankedTiers> tiers = {};
  Names contestants = {};
};

class PlackettLucePart final : public Statistic {
  std::string ranking_ = "ranking", contestant_ = "contestant", rank_ = "rank";
  double prior_ = 0, base_ = 1000;
  IntervalOptions interval_ = {.resamples = 100};

  // A column with a list, best first; members may be lists of tied ones.
  Rankings of_lists(const Evidence& evidence) const {
    Rankings result;
    for (const EvidenceRow& row : evidence.rows()) {
      const Json& cell = cell_of(row, ranking_);
      if (!cell.is_array()) refuse_cell(row, ranking_, std::string(cell.type_name()), "a list, best first");
      RankedTiers tiers;
      std::vector<std::int32_t> seen;
      const auto add = [&](const Json& name) {
        if (!name.is_string() && !name.is_number()) {
          refuse_cell(row, ranking_, std::string(name.type_name()), "names, or lists of tied names");
        }
        const std::int32_t one = result.contestants.add(text_of(name));
        if (std::ranges::find(seen, one) != seen.end()) refuse_cell(row, ranking_, "a contestant twice", "once");
        seen.push_back(one);
        tiers.back().push_back(one);
      };
      for (const Json& member : cell.items()) {
        tiers.emplace_back();
        if (!member.is_array()) add(member);
        for (std::size_t i = 0; member.is_array() && i < member.size(); ++i) add(member.items()[i]);
      }
      result.tiers.push_back(std::move(tiers));
    }
    return result;
  }

  // A row a contestant: which ranking, who, at what rank (1 is best).
  Rankings of_rows(const Evidence& evidence) const {
    Rankings result;
    std::map<std::string, std::map<double, std::vector<std::int32_t>>> rankings;
    std::map<std::string, Names> seen;
    for (const EvidenceRow& row : evidence.rows()) {
      const std::string ranking = text_in(row, ranking_), name = text_in(row, contestant_);
      Names& members = seen[ranking];
      if (members.find(name) >= 0) refuse_cell(row, contestant_, "a contestant twice in a ranking", "once");
      members.add(name);
      rankings[ranking][number_in(row, rank_)].push_back(result.contestants.add(name));
    }
    for (auto& [name, ranks] : rankings) {
      result.tiers.emplace_back();
      for (auto& [rank, tier] : ranks) result.tiers.back().push_back(std::move(tier));
    }
    return result;
  }

  static Rankings of_dataset(const Evidence& evidence) {
    Rankings result;
    for (const Record& record : evidence.dataset().records) {
      const auto old = superseded(record);
      for (std::size_t i = 0; i < record.feedback.size(); ++i) {
        const auto* ranking = std::get_if<Ranking>(&record.feedback[i].what);
        if (ranking == nullptr || old[i]) continue;
        result.tiers.emplace_back();
        for (const auto& targets : ranking->tiers) add_tier(evidence, record, targets, result);
      }
    }
    return result;
  }

  static void add_tier(const Evidence& evidence, const Record& record, const std::vector<Target>& targets,
                       Rankings& result) {
    std::vector<std::int32_t> tier;
    for (const Target& target : targets) {
      if (target.completion < 0) continue;
      const auto last = record.completions[static_cast<std::size_t>(target.completion)].last;
      const std::string& name = record.nodes[static_cast<std::size_t>(last)].message.name;
      if (name.empty()) evidence.refuse("ranked answers that do not say which model gave them", "the models' names");
      tier.push_back(result.contestants.add(name));
    }
    result.tiers.back().push_back(std::move(tier));
  }

 public:
  void describe(Fields& fields) {
    fields("ranking", ranking_, "column of a list, best first; or, with contestant and rank, the ranking a row is of");
    fields("contestant", contestant_, "column of who is ranked, where a row is one place");
    fields("rank", rank_, "column of the place, 1 the best; equal ones are ties");
    fields("prior", prior_, "half-won comparisons of each against an average one: keeps ratings finite").at_least(0);
    fields("base", base_, "rating of the average");
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Rankings rankings = evidence.has_columns({ranking_, contestant_, rank_}) ? of_rows(evidence)
                              : evidence.has_columns({ranking_})                   ? of_lists(evidence)
                                                                                   : of_dataset(evidence);
    if (rankings.tiers.empty()) evidence.refuse("no ranking", "at least one");
    const auto& names = rankings.contestants.all();
    if (prior_ == 0) require_comparable(evidence, matches_of(rankings.tiers), names, true);
    const PlackettLuce model = fit_plackett_luce(rankings.tiers, rankings.contestants.size(), prior_);
    std::vector<Rated> rated;
    Json rows = Json::array();
    const auto intervals = intervals_of(rankings);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const double rating = elo_points(model.strengths[i], base_);
      rated.push_back({names[i], rating, intervals[i], interval_.resamples > 0});
      rows.push_back(Json::object({{"contestant", names[i]},
                                   {"rating", rating},
                                   {"interval", interval_json(intervals[i])},
                                   {"log_odds", model.strengths[i]}}));
    }
    ReportPage page{.title = "Ratings from rankings"};
    page.json = Json::object({{"name", "plackett-luce"},
                              {"rankings", rankings.tiers.size()},
                              {"log_likelihood", model.log_likelihood},
                              {"gradient", model.steepness},
                              {"ratings", std::move(rows)}});
    page.lines.push_back("Ratings of " + std::to_string(names.size()) + " contestants from " +
                         std::to_string(rankings.tiers.size()) + " rankings:");
    show_rated(rated, "Ratings", page);
    return page;
  }

 private:
  // Each contestant's, over rankings drawn again; the draws are the same for all.
  std::vector<Interval> intervals_of(const Rankings& rankings) const {
    std::vector<std::vector<double>> fits;
    const auto once = [&](std::span<const std::size_t> drawn) {
      std::vector<RankedTiers> sample;
      for (const std::size_t one : drawn) sample.push_back(rankings.tiers[one]);
      const bool finite = prior_ > 0 || winning_groups(matches_of(sample), rankings.contestants.size()).size() == 1;
      if (!finite) return std::nan("");
      fits.push_back(fit_plackett_luce(sample, rankings.contestants.size(), prior_).strengths);
      return 0.0;
    };
    interval_.of(rankings.tiers.size(), once);
    std::vector<Interval> result;
    for (std::int32_t i = 0; i < rankings.contestants.size(); ++i) {
      std::vector<double> ratings;
      for (const auto& fit : fits) ratings.push_back(elo_points(fit[static_cast<std::size_t>(i)], base_));
      result.push_back(percentiles(std::move(ratings), interval_.level));
    }
    return result;
  }
};

}  // namespace

ATTUNE_PART(Statistic, plackett_luce, PlackettLucePart, .summary = "ratings of models from rankings of several answers",
            .formula = "P(ranking) = prod_i exp(t_i) / sum of exp(t_j) of those not yet placed",
            .paper = "Plackett 1975; Luce 1959");

}  // namespace attune::statistics
