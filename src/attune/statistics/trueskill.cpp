// Gaussian skills that move with every comparison.
#include "attune/statistics/rating_page.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/online_ratings.h"

namespace attune::statistics {
namespace {

class TrueSkill final : public Statistic {
  BattlesOptions battles_;
  SkillOptions options_;

 public:
  void describe(Fields& fields) {
    battles_.describe(fields);
    fields("mean", options_.mean, "skill of a newcomer");
    fields("deviation", options_.deviation, "how unsure it is").above(0);
    fields("performance", options_.performance, "how far one answer strays from skill").above(0);
    fields("drift", options_.drift, "what skill may change between comparisons").at_least(0);
    fields("tie_chance", options_.tie_chance, "of two equals").between(0, 1);
  }

  ReportPage run(const Evidence& evidence) const override {
    const Battles battles = read_battles(evidence, battles_);
    require_comparable(evidence, battles, false);
    for (const Match& match : battles.matches) {
      if (match.score != 0 && match.score != 0.5 && match.score != 1) {
        evidence.refuse("a comparison won by a share", "won, lost or tied");
      }
    }
    const auto skills = online_skills(battles.matches, static_cast<std::int32_t>(battles.contestants.size()), options_);
    ReportPage page{.title = "Skills"};
    std::vector<Rated> rated;
    Json rows = Json::array();
    for (std::size_t i = 0; i < skills.size(); ++i) {
      const Interval interval{skills[i].mean - 1.96 * skills[i].deviation, skills[i].mean + 1.96 * skills[i].deviation};
      rated.push_back({battles.contestants[i], skills[i].mean, interval, true});
      rows.push_back(Json::object({{"contestant", battles.contestants[i]},
                                   {"mean", skills[i].mean},
                                   {"deviation", skills[i].deviation},
                                   {"cautious", skills[i].cautious()}}));
    }
    page.json = Json::object({{"name", "trueskill"},
                              {"comparisons", battles.matches.size()},
                              {"undecided", battles.undecided},
                              {"ratings", std::move(rows)}});
    page.lines.push_back("Skills of " + std::to_string(skills.size()) + " contestants after " +
                         std::to_string(battles.matches.size()) + " comparisons:");
    show_rated(rated, "Skills", page);
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, trueskill, TrueSkill,
            .summary = "Gaussian skills that move with every comparison, and how unsure they are",
            .formula =
                "skill ~ N(mu, sigma^2), performance ~ N(skill, beta^2); the posterior's moments after each "
                "win, loss or tie",
            .paper = "Herbrich et al. 2006, TrueSkill");

}  // namespace attune::statistics
