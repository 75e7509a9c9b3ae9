// The win rate as if both sides had answered at the same length.
#include <cmath>

#include "attune/statistics/answers.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/win_rate.h"

namespace attune::statistics {
namespace {

// Code points of UTF-8 text, as the original counts length.
double characters(const std::string& text) {
  std::int64_t count = 0;
  for (const char byte : text) count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80 ? 1 : 0;
  return static_cast<double>(count);
}

class LengthControlledWinRate final : public Statistic {
  std::string preference_ = "preference", baseline_ = "output_1", model_ = "output_2", difference_ = "",
              difficulty_ = "", holding_ = "";
  double holding_weight_ = 0.1;
  LengthControlOptions options_;
  IntervalOptions interval_;

 public:
  void describe(Fields& fields) {
    fields("preference", preference_, "column: 1 the baseline, 2 the model, 1.5 or 0 a tie; null rows are left out");
    fields("baseline", baseline_, "column of the baseline's answer");
    fields("model", model_, "column of the model's answer");
    fields("difference", difference_, "instead of both: column of the baseline's length minus the model's");
    fields("difficulty", difficulty_, "column of the instruction's difficulty; empty: all alike");
    fields("holding", holding_,
           "file of other rows that hold the slopes: preference (0 to 1), std_delta_len, instruction_difficulty");
    fields("holding_weight", holding_weight_, "of each of those rows").above(0);
    fields("l2", options_.l2, "penalty on the slopes a row").above(0);
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    std::int64_t missing = 0;
    std::vector<double> won, differences, difficulties;
    for (const EvidenceRow& row : evidence.rows()) {
      if (cell_of(row, preference_).is_null()) {
        ++missing;
        continue;
      }
      const double share = won_of_preference(number_in(row, preference_));
      if (!(share >= 0 && share <= 1))
        refuse_cell(row, preference_, "a preference outside of its scale", "1 to 2, or 0");
      won.push_back(share);
      differences.push_back(difference_.empty() ? characters(text_in(row, baseline_)) - characters(text_in(row, model_))
                                                : number_in(row, difference_));
      difficulties.push_back(difficulty_.empty() ? 0 : number_in(row, difficulty_));
    }
    if (won.size() < 2) evidence.refuse("fewer than two judged rows", "at least two");
    const auto held = holding_rows();
    const auto fit = [&](std::span<const std::size_t> rows) {
      std::vector<double> of_rows;
      for (const std::size_t row : rows) of_rows.push_back(differences[row]);
      const auto lengths = length_terms(of_rows);
      std::vector<LengthRow> table;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        table.push_back({.won = won[rows[i]], .length = lengths[i], .difficulty = difficulties[rows[i]]});
      }
      table.insert(table.end(), held.begin(), held.end());
      return length_controlled(table, options_);
    };
    std::vector<std::size_t> all(won.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    const LengthControlled result = fit(all);
    const auto interval =
        interval_.of(won.size(), [&](std::span<const std::size_t> drawn) { return 100 * fit(drawn).mean; });
    return page_of(result, win_rate(won), interval, missing);
  }

 private:
  std::vector<LengthRow> holding_rows() const {
    std::vector<LengthRow> rows;
    if (holding_.empty()) return rows;
    const Evidence file{holding_};
    for (const EvidenceRow& row : file.rows()) {
      rows.push_back({.won = number_in(row, "preference"),
                      .length = std::tanh(number_in(row, "std_delta_len")),
                      .difficulty = number_in(row, "instruction_difficulty"),
                      .model = 0,
                      .weight = holding_weight_});
    }
    return rows;
  }

  static ReportPage page_of(const LengthControlled& result, const WinRate& plain, const BootstrapInterval& interval,
                            std::int64_t missing) {
    ReportPage page{.title = "Length-controlled win rate"};
    page.json = Json::object(
        {{"name", "length-controlled-win-rate"},
         {"length_controlled_win_rate", 100 * result.mean},
         {"lc_standard_error", 100 * result.standard_error},
         {"interval", interval_json(interval.interval)},
         {"win_rate", 100 * plain.mean},
         {"standard_error", 100 * plain.standard_error},
         {"slopes",
          Json::object({{"length", result.slopes[0]}, {"difficulty", result.slopes[1]}, {"model", result.slopes[2]}})},
         {"converged", result.converged},
         {"n", result.n},
         {"left_out", missing}});
    page.lines.push_back("Length-controlled win rate " + percent(result.mean) + interval_text(interval.interval, 1) +
                         ", plain " + percent(plain.mean) + " (n = " + std::to_string(result.n) + ").");
    if (!result.converged) page.lines.push_back("The fit did not converge: do not trust the number.");
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, length_controlled_win_rate, LengthControlledWinRate,
            .summary = "the win rate as if both answers were equally long",
            .formula =
                "v ~ sigmoid(a tanh(d / sd d) + b g + c), d = baseline's length - model's, g the instruction's "
                "difficulty; LC = 100 mean sigmoid(b g + c)",
            .paper = "Dubois et al. 2024, Length-controlled AlpacaEval");

}  // namespace attune::statistics
