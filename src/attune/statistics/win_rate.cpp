// How often a model's answers are preferred to a baseline's.
#include "attune/stats/win_rate.h"

#include "attune/statistics/answers.h"
#include "attune/statistics/statistic.h"

namespace attune {

enum class Won { share, preference };
constexpr auto enum_names(Won) {
  using Name = std::pair<std::string_view, Won>;
  return std::array{Name{"share", Won::share}, Name{"preference", Won::preference}};
}

namespace statistics {
namespace {

class WinRatePart final : public Statistic {
  std::string column_ = "preference";
  Won as_ = Won::preference;
  IntervalOptions interval_;

 public:
  void describe(Fields& fields) {
    fields("column", column_, "of what the model won; rows where it is null are left out and counted");
    fields("as", as_, "preference: 1 the baseline, 2 the model, 1.5 or 0 a tie (AlpacaEval); share: 0 to 1");
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    std::vector<double> won;
    std::int64_t missing = 0;
    for (const EvidenceRow& row : evidence.rows()) {
      if (cell_of(row, column_).is_null()) {
        ++missing;
        continue;
      }
      const double value = number_in(row, column_);
      const double share = as_ == Won::preference ? won_of_preference(value) : value;
      if (!(share >= 0 && share <= 1)) {
        refuse_cell(row, column_, "a preference outside of its scale", as_ == Won::share ? "0 to 1" : "1 to 2, or 0");
      }
      won.push_back(share);
    }
    if (won.empty()) evidence.refuse("no judged row", "at least one");
    const WinRate rate = win_rate(won);
    const auto interval = interval_.of_mean(won);
    ReportPage page{.title = "Win rate"};
    page.json = Json::object({{"name", "win-rate"},
                              {"win_rate", 100 * rate.mean},
                              {"standard_error", 100 * rate.standard_error},
                              {"interval", interval_json({100 * interval.interval.low, 100 * interval.interval.high})},
                              {"discrete_win_rate", 100 * rate.discrete},
                              {"n", rate.n},
                              {"wins", rate.wins},
                              {"ties", rate.ties},
                              {"losses", rate.losses},
                              {"left_out", missing}});
    page.lines.push_back("Win rate " + percent(rate.mean) +
                         interval_text({100 * interval.interval.low, 100 * interval.interval.high}, 1) +
                         ", standard error " + fixed(100 * rate.standard_error, 2) + "; " + std::to_string(rate.wins) +
                         " won, " + std::to_string(rate.ties) + " tied, " + std::to_string(rate.losses) + " lost, " +
                         std::to_string(missing) + " not judged.");
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, win_rate, WinRatePart, .summary = "how often a model's answers are preferred to a baseline's",
            .formula = "100 mean v, SE = 100 sd(v) / sqrt(n); discrete: (wins + ties / 2) / n",
            .paper = "Li et al. 2023, AlpacaEval");

}  // namespace statistics
}  // namespace attune
