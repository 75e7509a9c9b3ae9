// Ratings, forecasts and win rates against statsmodels, scipy, scikit-learn and closed forms.
#include <cmath>

#include "attune/stats/best_of_n.h"
#include "attune/stats/bradley_terry.h"
#include "attune/stats/calibration.h"
#include "attune/stats/logistic.h"
#include "attune/stats/online_ratings.h"
#include "attune/stats/plackett_luce.h"
#include "attune/stats/win_rate.h"
#include "recorded_numbers.h"

namespace attune {
namespace {

using testing::column;
using testing::expect_near;
using testing::number;
using testing::statistics;

std::vector<Match> recorded_matches() {
  std::vector<Match> matches;
  for (const Json& row : statistics("battles").find("rows")->items()) {
    matches.push_back({.a = static_cast<std::int32_t>(row.items()[0].integer()),
                       .b = static_cast<std::int32_t>(row.items()[1].integer()),
                       .score = row.items()[2].number()});
  }
  return matches;
}

TEST(BradleyTerryParity, HalfTiesEqualStatsmodelsRegression) {
  const BradleyTerry model = fit_bradley_terry(recorded_matches(), 5);
  expect_near(model.strengths, column(statistics("battles"), "half"), 1e-8);
  EXPECT_LT(model.steepness, 1e-7);
  EXPECT_TRUE(model.converged);
  const BradleyTerry same = fit_bradley_terry(merged(recorded_matches()), 5);
  expect_near(same.strengths, model.strengths, 1e-9);
}

TEST(BradleyTerryParity, StyleIsHeldEqualAsInStatsmodelsRegression) {
  const auto style = column(statistics("battles"), "style");
  const BradleyTerry model = fit_bradley_terry(recorded_matches(), 5, {.features = 1}, style);
  expect_near(model.strengths, column(statistics("battles"), "styled"), 1e-8);
  EXPECT_NEAR(model.feature_weights.at(0), number(statistics("battles"), "style_weight"), 1e-8);
}

TEST(BradleyTerryParity, ModelsOfTiesReachTheOptimumThatScipyFinds) {
  const Json& all = statistics("battles");
  const BradleyTerry davidson = fit_bradley_terry(recorded_matches(), 5, {.ties = TieModel::davidson});
  expect_near(davidson.strengths, column(all, "davidson"), 1e-4);  // scipy's simplex ends there
  EXPECT_NEAR(davidson.tie, number(all, "nu"), 1e-4);
  EXPECT_LT(davidson.steepness, 1e-7);
  const BradleyTerry rao_kupper = fit_bradley_terry(recorded_matches(), 5, {.ties = TieModel::rao_kupper});
  expect_near(rao_kupper.strengths, column(all, "rao_kupper"), 1e-4);
  EXPECT_NEAR(rao_kupper.tie, number(all, "eta"), 1e-4);
  EXPECT_LT(rao_kupper.steepness, 1e-7);
}

TEST(BradleyTerry, TwoContestantsHaveTheOddsOfTheirWins) {
  const std::vector<Match> matches = {{.a = 0, .b = 1, .score = 1, .weight = 3}, {.a = 0, .b = 1, .score = 0}};
  const BradleyTerry model = fit_bradley_terry(matches, 2);
  EXPECT_NEAR(model.strengths[0] - model.strengths[1], std::log(3.0), 1e-9);
  EXPECT_NEAR(elo_points(model.strengths[0]) - elo_points(model.strengths[1]), 400 * std::log10(3.0), 1e-6);
}

TEST(BradleyTerry, OutcomesAreFittedAsOftenAsTheyWereSeen) {
  // The likelihood's equations: foreseen and seen outcomes agree in number.
  for (const TieModel ties : {TieModel::davidson, TieModel::rao_kupper}) {
    const auto matches = recorded_matches();
    const BradleyTerry model = fit_bradley_terry(matches, 5, {.ties = ties});
    double foreseen = 0, seen = 0;
    for (const Match& match : matches) {
      const double d =
          model.strengths[static_cast<std::size_t>(match.a)] - model.strengths[static_cast<std::size_t>(match.b)];
      const MatchChances chances = chances_of(d, ties, model.tie);
      EXPECT_NEAR(chances.win + chances.tie + chances.loss, 1, 1e-12);
      foreseen += chances.tie;
      seen += match.score == 0.5 ? 1 : 0;
    }
    if (ties == TieModel::davidson) {
      EXPECT_NEAR(foreseen, seen, 1e-5);
    } else {
      EXPECT_NEAR(foreseen, seen, 3);  // not an equation of that model, but near
    }
  }
}

TEST(BradleyTerry, APriorMakesRatingsOfAnUnbeatenOneFinite) {
  const std::vector<Match> matches = {{.a = 0, .b = 1, .score = 1, .weight = 5}};
  EXPECT_EQ(winning_groups(matches, 2).size(), 2u);
  const BradleyTerry model = fit_bradley_terry(matches, 2, {.prior = 1});
  EXPECT_TRUE(model.converged);
  EXPECT_GT(model.strengths[0], 0.5);
  EXPECT_NEAR(model.strengths[0], -model.strengths[1], 1e-8);
}

TEST(Matches, GroupsSayWhatIsConnectedAndWhoIsAboveWhom) {
  const std::vector<Match> matches = {{.a = 0, .b = 1, .score = 1},
                                      {.a = 1, .b = 0, .score = 1},
                                      {.a = 0, .b = 2, .score = 1},
                                      {.a = 3, .b = 4, .score = 0.5}};
  const auto connected = connected_groups(matches, 5);
  EXPECT_EQ(connected, (std::vector<std::vector<std::int32_t>>{{0, 1, 2}, {3, 4}}));
  const auto winning = winning_groups(matches, 5);
  ASSERT_EQ(winning.size(), 3u);
  const auto place = [&](const std::vector<std::int32_t>& group) {
    return std::find(winning.begin(), winning.end(), group) - winning.begin();
  };
  EXPECT_LT(place({0, 1}), place({2}));
}

TEST(PlackettLuceParity, PartialRankingsEqualTheOptimumThatScipyFinds) {
  std::vector<RankedTiers> rankings;
  for (const Json& row : statistics("battles").find("rankings")->items()) {
    rankings.emplace_back();
    for (const Json& one : row.items()) rankings.back().push_back({static_cast<std::int32_t>(one.integer())});
  }
  const PlackettLuce model = fit_plackett_luce(rankings, 5);
  expect_near(model.strengths, column(statistics("battles"), "plackett_luce"), 1e-4);
  EXPECT_LT(model.steepness, 1e-7);
}

TEST(PlackettLuce, OfPairsIsBradleyAndTerrys) {
  std::vector<RankedTiers> rankings;
  std::vector<Match> matches;
  for (const Match& match : recorded_matches()) {
    if (match.score == 0.5) continue;
    matches.push_back(match);
    rankings.push_back(match.score == 1 ? RankedTiers{{match.a}, {match.b}} : RankedTiers{{match.b}, {match.a}});
  }
  expect_near(fit_plackett_luce(rankings, 5).strengths, fit_bradley_terry(matches, 5).strengths, 1e-7);
}

TEST(OnlineRatings, EloMovesByTheSurprise) {
  const auto ratings = elo_ratings(std::vector<Match>{{.a = 0, .b = 1}, {.a = 1, .b = 0, .score = 0.5}}, 2, {.k = 32});
  // 1016 : 984 after the first; then the tie is worth 0.5 - 1 / (1 + 10^(32 / 400)) to the lower one.
  const double change = 32 * (0.5 - 1 / (1 + std::pow(10, 32.0 / 400)));
  EXPECT_NEAR(ratings[0], 1016 - change, 1e-9);
  EXPECT_NEAR(ratings[1], 984 + change, 1e-9);
}

TEST(OnlineRatings, SkillsEqualThePublishedExamples) {
  // The worked numbers of TrueSkill's calculator: newcomers, one match.
  const auto won = online_skills(std::vector<Match>{{.a = 0, .b = 1}}, 2);
  EXPECT_NEAR(won[0].mean, 29.396, 1e-3);
  EXPECT_NEAR(won[0].deviation, 7.171, 1e-3);
  EXPECT_NEAR(won[1].mean, 20.604, 1e-3);
  const auto tied = online_skills(std::vector<Match>{{.a = 0, .b = 1, .score = 0.5}}, 2);
  EXPECT_NEAR(tied[0].mean, 25, 1e-9);
  EXPECT_NEAR(tied[0].deviation, 6.458, 1e-3);
}

std::vector<Forecast> recorded_forecasts() {
  const auto p = column(statistics("forecasts"), "p"), y = column(statistics("forecasts"), "y");
  std::vector<Forecast> forecasts;
  for (std::size_t i = 0; i < p.size(); ++i) forecasts.push_back({p[i], y[i]});
  return forecasts;
}

TEST(CalibrationParity, ScoresEqualScikitLearns) {
  const Json& all = statistics("forecasts");
  const auto forecasts = recorded_forecasts();
  EXPECT_NEAR(brier_score(forecasts), number(all, "brier"), 1e-12);
  EXPECT_NEAR(negative_log_likelihood(forecasts), number(all, "nll"), 1e-12);
  EXPECT_NEAR(area_under_curve(forecasts), number(all, "auc"), 1e-12);
  EXPECT_NEAR(expected_calibration_error(reliability_bins(forecasts, 10)), number(*all.find("ece"), "uniform"), 1e-12);
  // 300 rows in ten bins: thirty each, as quantiles cut them.
  const auto mass = reliability_bins(forecasts, 10, Bins::equal_mass);
  for (const ReliabilityBin& bin : mass) EXPECT_NEAR(static_cast<double>(bin.count), 30, 1);
  EXPECT_NEAR(expected_calibration_error(mass), number(*all.find("ece"), "quantile"), 1e-3);
}

TEST(CalibrationParity, TheTemperatureIsTheOneThatScipyFinds) {
  std::vector<LogitOutcome> logits;
  for (const Forecast& one : recorded_forecasts()) {
    logits.push_back({std::log(one.probability / (1 - one.probability)), one.outcome});
  }
  const Temperature fitted = fit_temperature(logits);
  EXPECT_NEAR(fitted.value, number(statistics("forecasts"), "temperature"), 1e-5);
  EXPECT_NEAR(fitted.after, number(statistics("forecasts"), "nll_after"), 1e-9);
  EXPECT_LE(fitted.after, fitted.before);
}

TEST(Calibration, NamesWhatHasNoTemperature) {
  EXPECT_TRUE(fit_temperature(std::vector<LogitOutcome>{{2, 1}, {-1, 0}}).separable);
  EXPECT_TRUE(fit_temperature(std::vector<LogitOutcome>{{2, 0}, {-1, 1}}).useless);
  EXPECT_TRUE(fit_temperature(std::vector<LogitOutcome>{{0, 0}, {0, 1}}).useless);
}

TEST(Calibration, BinsHoldTheirUpperEnds) {
  const std::vector<Forecast> forecasts = {{0, 0}, {0.1, 0}, {0.1000001, 1}, {1, 1}};
  const auto bins = reliability_bins(forecasts, 10);
  ASSERT_EQ(bins.size(), 3u);
  EXPECT_EQ(bins[0].count, 2);
  EXPECT_EQ(bins[1].count, 1);
  EXPECT_EQ(bins[2].high, 1);
  const auto same = reliability_bins(std::vector<Forecast>(7, {0.3, 1}), 4, Bins::equal_mass);
  EXPECT_EQ(same.size(), 1u);  // equal probabilities stay together
}

TEST(Calibration, PairsFoldedAndBothWaysHaveTheSameBrierScore) {
  const std::vector<Forecast> pairs = {{0.8, 1}, {0.3, 1}, {0.5, 1}};
  EXPECT_NEAR(brier_score(folded(pairs)), (0.04 + 0.49 + 0) / 3, 1e-12);
  EXPECT_NEAR(brier_score(both_ways(pairs)), (0.04 + 0.49 + 0.25) / 3, 1e-12);
  EXPECT_NEAR(forecast_accuracy(pairs), 0.5, 1e-12);  // one right, one wrong, one half
}

TEST(LogisticParity, SoftWeightedTargetsEqualStatsmodels) {
  const Json& all = *statistics("forecasts").find("glm");
  SparseRows rows;
  for (const Json& row : all.find("x")->items()) {
    const auto x = column(row);
    const SparseRows::Entry entries[] = {{0, x[0]}, {1, x[1]}, {2, x[2]}};
    rows.add(entries);
  }
  const LogisticModel model = fit_soft_logistic(rows, column(all, "target"), column(all, "weight"),
                                                {.l2 = 0, .intercept = false, .tolerance = 1e-12});
  expect_near(model.weights, column(all, "slopes"), 1e-8);
}

TEST(WinRate, CountsAndSpread) {
  const WinRate rate = win_rate(std::vector<double>{1, 0, 0.5, 0.9});
  EXPECT_NEAR(rate.mean, 0.6, 1e-12);
  EXPECT_NEAR(rate.discrete, 2.5 / 4, 1e-12);
  EXPECT_EQ(rate.ties, 1u);
  EXPECT_NEAR(rate.standard_error, std::sqrt((0.16 + 0.36 + 0.01 + 0.09) / 3 / 4), 1e-12);
  EXPECT_EQ(won_of_preference(0), 0.5);
  EXPECT_EQ(won_of_preference(2), 1);
}

TEST(LengthControlled, RecoversTheRateThatLengthHid) {
  // won = sigmoid(2 length + 0.5 difficulty - 1) exactly: the fit finds the slopes, and the rate leaves length out.
  std::vector<LengthRow> rows;
  std::vector<double> difficulties;
  for (int i = 0; i < 200; ++i) {
    const double length = std::sin(i), difficulty = std::cos(3 * i);
    rows.push_back(
        {.won = 1 / (1 + std::exp(-(2 * length + 0.5 * difficulty - 1))), .length = length, .difficulty = difficulty});
    difficulties.push_back(difficulty);
  }
  const LengthControlled result = length_controlled(rows, {.l2 = 1e-12});
  EXPECT_NEAR(result.slopes[0], 2, 1e-6);
  EXPECT_NEAR(result.slopes[1], 0.5, 1e-6);
  EXPECT_NEAR(result.slopes[2], -1, 1e-6);
  EXPECT_NEAR(result.mean, length_controlled_at(difficulties, {2, 0.5, -1}).mean, 1e-7);
  EXPECT_NEAR(length_controlled_between(result.slopes, result.slopes, difficulties), 0.5, 1e-12);
}

TEST(BestOfN, EqualsTheMeanOverAllSubsets) {
  const std::vector<ScoredAnswer> answers = {{0.3, 5}, {0.9, 1}, {0.1, 7}, {0.9, 4}, {0.5, 2}};
  for (std::int64_t n = 1; n <= 5; ++n) {
    double sum = 0, count = 0;
    for (unsigned subset = 0; subset < 32; ++subset) {
      if (__builtin_popcount(subset) != n) continue;
      double best = -1, gold = 0, ties = 0;
      for (unsigned i = 0; i < 5; ++i) {
        if ((subset >> i & 1) == 0 || answers[i].proxy < best) continue;
        if (answers[i].proxy > best) gold = ties = 0;
        best = answers[i].proxy;
        gold += answers[i].gold;
        ties += 1;
      }
      sum += gold / ties;
      count += 1;
    }
    EXPECT_NEAR(best_of_n_value(answers, n), sum / count, 1e-12) << n;
  }
}

TEST(BestOfN, KlIsAnUpperBoundAndItsEstimateHasTheRightEnds) {
  EXPECT_EQ(best_of_n_kl(1), 0);
  EXPECT_NEAR(best_of_n_kl(4), std::log(4.0) - 0.75, 1e-12);
  EXPECT_NEAR(best_of_n_kl_estimate(8, 1e-9), best_of_n_kl(8), 1e-6);
  EXPECT_EQ(best_of_n_kl_estimate(8, 1), 0);
  // Two answers, the better one drawn with probability q: the exact divergence lies below the bound.
  for (const double q : {0.05, 0.3, 0.8}) {
    const double worse = std::pow(1 - q, 4), better = 1 - worse;
    const double exact = better * std::log(better / q) + worse * std::log(worse / (1 - q));
    EXPECT_LT(exact, best_of_n_kl(4));
    const double estimate = better * best_of_n_kl_estimate(4, q) + worse * best_of_n_kl_estimate(4, 1 - q);
    EXPECT_LT(std::abs(estimate - exact), std::abs(best_of_n_kl(4) - exact)) << q;
  }
}

TEST(BestOfN, PassAtKEqualsBinomials) {
  EXPECT_NEAR(pass_at_k(5, 2, 3), 1 - 1.0 / 10, 1e-12);  // C(3, 3) / C(5, 3)
  EXPECT_EQ(pass_at_k(5, 3, 3), 1);
  EXPECT_EQ(pass_at_k(200, 0, 100), 0);
  EXPECT_NEAR(pass_at_k(10, 3, 1), 0.3, 1e-12);
}

}  // namespace
}  // namespace attune
