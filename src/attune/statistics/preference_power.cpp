// How many judgements a preference test needs, and what those at hand can find.
#include <cmath>

#include "attune/statistics/answers.h"
#include "attune/statistics/battles.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/power.h"

namespace attune::statistics {
namespace {

class PreferencePower final : public Statistic {
  double win_rate_ = 0.55, power_ = 0.8, alpha_ = 0.05, ties_ = 0, judgements_ = 1, correlation_ = 0;
  std::int64_t n_ = 0;
  BattlesOptions battles_;

 public:
  void describe(Fields& fields) {
    fields("win_rate", win_rate_, "of decided comparisons that should be told from 1/2").between(0, 1);
    fields("power", power_, "chance to find it").between(0, 1);
    fields("alpha", alpha_, "chance to find something where nothing is").between(0, 1);
    fields("ties", ties_, "share of comparisons that decide nothing").at_least(0);
    fields("judgements", judgements_, "of the same item").at_least(1);
    fields("correlation", correlation_, "of judgements of the same item").within(0, 1);
    fields("n", n_, "comparisons at hand; 0: those of the data, or none").at_least(0);
    battles_.describe(fields);
  }

  bool needs_data() const override { return false; }

  ReportPage run(const Evidence& evidence) const override {
    if (win_rate_ == 0.5) evidence.refuse("a win rate of 1/2", "another one: equals cannot be told apart");
    if (ties_ >= 1) evidence.refuse("only ties", "a share below 1");
    std::int64_t n = n_;
    double ties = ties_;
    if (evidence.given()) from_pilot(evidence, n, ties);
    const double effect = design_effect(judgements_, correlation_);
    const std::int64_t decided = sign_test_size(win_rate_, power_, alpha_);
    if (decided == 0) evidence.refuse("a win rate too near to 1/2", "one that ten million comparisons can tell");
    const double needed = std::ceil(static_cast<double>(decided) / (1 - ties) * effect);
    ReportPage page{.title = "Power of a preference test"};
    page.json = Json::object({{"name", "preference-power"},
                              {"win_rate", win_rate_},
                              {"power", power_},
                              {"alpha", alpha_},
                              {"ties", ties},
                              {"design_effect", effect},
                              {"decided_comparisons", decided},
                              {"decided_comparisons_normal", sign_test_size_normal(win_rate_, power_, alpha_)},
                              {"comparisons", static_cast<std::int64_t>(needed)}});
    page.lines.push_back("To tell a win rate of " + percent(win_rate_) + " from 50 % with power " + percent(power_) +
                         " takes " + fixed(needed, 0) + " comparisons (" + std::to_string(decided) + " decided ones).");
    if (n > 0) {
      const auto usable = static_cast<std::int64_t>(static_cast<double>(n) * (1 - ties) / effect);
      const double found = sign_test_power(usable, win_rate_, alpha_);
      const double smallest = detectable_win_rate(usable, power_, alpha_);
      page.json.set("n", n);
      page.json.set("power_at_n", found);
      page.json.set("detectable_win_rate_at_n", smallest);
      page.lines.push_back(std::to_string(n) + " comparisons find it with probability " + percent(found) +
                           ", and with power " + percent(power_) + " a win rate of " + percent(smallest) + ".");
    }
    return page;
  }

 private:
  // A pilot says how many ties there are, and how many comparisons.
  void from_pilot(const Evidence& evidence, std::int64_t& n, double& ties) const {
    const Battles battles = read_battles(evidence, battles_);
    double tied = 0;
    for (const Match& match : battles.matches) tied += match.score == 0.5 ? 1 : 0;
    if (n == 0) n = std::ssize(battles.matches);
    if (ties == 0) ties = tied / static_cast<double>(battles.matches.size());
    if (ties >= 1) evidence.refuse("only ties", "some decided comparisons");
  }
};

}  // namespace

ATTUNE_PART(Statistic, preference_power, PreferencePower,
            .summary = "how many comparisons a preference test needs, and what those at hand can find",
            .formula = "the exact two-sided sign test; n_total = n_decided / (1 - ties) (1 + (m - 1) correlation)",
            .paper = "Kish 1965 (design effect)");

}  // namespace attune::statistics
