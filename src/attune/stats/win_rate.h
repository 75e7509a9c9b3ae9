// Win rates against a baseline, as they are and with the length of answers held equal.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "attune/stats/agreement.h"

namespace attune {

// AlpacaEval's preference: 1 the baseline's answer, 2 the model's, in between as a judge is unsure, 1.5 or 0 a tie. In
// [0, 1] here: what the model won.
double won_of_preference(double preference);

struct WinRate {
  double mean = 0;            // of what was won: 0 to 1
  double standard_error = 0;  // sd (n - 1) / sqrt(n); NaN for one match
  double discrete = 0;        // (wins + ties / 2) / n, each match decided by the side of 1/2
  std::size_t n = 0, wins = 0, ties = 0, losses = 0;
};
WinRate win_rate(std::span<const double> won);  // NaN of none

// One comparison for the length-controlled win rate.
struct LengthRow {
  double won = 0;         // 0 to 1
  double length = 0;      // tanh of the standardised difference in length, baseline's minus the model's
  double difficulty = 0;  // of the instruction
  double model = 1;       // how much of the model is in it: 0 for rows that only hold the slopes
  double weight = 1;
};

// tanh(d / sd(d)) with n - 1; 0 where all are equal. Throws InternalError below two.
std::vector<double> length_terms(std::span<const double> differences);

// won ~ sigmoid(slopes[0] length + slopes[1] difficulty + slopes[2] model) (Dubois et al. 2024, "Length-controlled
// AlpacaEval"): the weighted log-loss, nearly unpenalised.
struct LengthControlled {
  std::array<double, 3> slopes = {};  // length, difficulty, model
  double mean = 0;                    // of sigmoid without the length's term, over the model's rows: 0 to 1
  double standard_error = 0;          // sd (n - 1) / sqrt(n) of those
  std::size_t n = 0;
  bool converged = false;
};
struct LengthControlOptions {
  double l2 = 1e-6;  // penalty l2 / 2 |slopes|^2, relative to the number of rows: finite slopes whatever the data
};
// `rows`: the model's, then any others that hold the slopes (model 0).
LengthControlled length_controlled(std::span<const LengthRow> rows, const LengthControlOptions& options = {});

// The same from slopes that were fitted elsewhere.
LengthControlled length_controlled_at(std::span<const double> difficulties, const std::array<double, 3>& slopes);

// The length-controlled win rate of one model against another, from their slopes against the same baseline.
double length_controlled_between(const std::array<double, 3>& first, const std::array<double, 3>& second,
                                 std::span<const double> difficulties);

}  // namespace attune
