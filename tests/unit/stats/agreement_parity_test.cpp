// Distributions, agreement, ranks and models of annotators against scipy, scikit-learn, statsmodels and published
// numbers.
#include <cmath>

#include "attune/stats/agreement.h"
#include "attune/stats/bootstrap.h"
#include "attune/stats/dawid_skene.h"
#include "attune/stats/distributions.h"
#include "attune/stats/intraclass.h"
#include "attune/stats/kappa.h"
#include "attune/stats/label_distributions.h"
#include "attune/stats/power.h"
#include "attune/stats/ranks.h"
#include "recorded_numbers.h"

namespace attune {
namespace {

using testing::column;
using testing::expect_near;
using testing::number;
using testing::statistics;

std::vector<std::vector<double>> table(const Json& json) {
  std::vector<std::vector<double>> rows;
  for (const Json& row : json.items()) rows.push_back(column(row));
  return rows;
}

TEST(DistributionsParity, FunctionsEqualScipys) {
  const Json& all = statistics("distributions");
  const auto near = [](double found, double expected) {
    EXPECT_NEAR(found, expected, 1e-9 * (1 + std::abs(expected)));
  };
  for (const auto& row : table(*all.find("t_quantile"))) near(student_t_quantile(row[0], row[1]), row[2]);
  for (const auto& row : table(*all.find("f_quantile"))) near(f_quantile(row[0], row[1], row[2]), row[3]);
  for (const auto& row : table(*all.find("f_tail"))) near(f_tail(row[0], row[1], row[2]), row[3]);
  for (const auto& row : table(*all.find("chi_squared_tail"))) near(chi_squared_tail(row[0], row[1]), row[2]);
  for (const auto& row : table(*all.find("beta_cdf"))) near(beta_cdf(row[0], row[1], row[2]), row[3]);
  for (const auto& row : table(*all.find("digamma"))) near(digamma(row[0]), row[1]);
}

TEST(AgreementParity, KappasEqualThoseOfThePackages) {
  const Json& all = statistics("agreement");
  const auto ratings = table(*all.find("ratings"));
  std::vector<double> first, second;
  for (const auto& row : ratings) {
    first.push_back(row[0]);
    second.push_back(row[1]);
  }
  const std::pair<const char*, KappaWeights> kinds[] = {
      {"none", KappaWeights::none}, {"linear", KappaWeights::linear}, {"quadratic", KappaWeights::quadratic}};
  const std::vector<double> categories = {0, 1, 2, 3, 4};
  for (const auto& [name, weights] : kinds) {
    EXPECT_NEAR(cohen_kappa(first, second, weights), number(*all.find("cohen"), name), 1e-12) << name;
    EXPECT_NEAR(gwet_ac(ratings, categories, weights), number(*all.find("gwet"), name), 1e-12) << name;
  }
  EXPECT_NEAR(fleiss_kappa(ratings), number(all, "fleiss"), 1e-12);
}

TEST(AgreementParity, IntraclassCorrelationsAndIntervalsEqualThoseOfMeanSquares) {
  const Json& all = statistics("agreement");
  const auto expected = table(*all.find("icc"));
  const auto found = intraclass_correlations(table(*all.find("ratings")));
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(found[i].value, expected[i][0], 1e-10) << found[i].name;
    EXPECT_NEAR(found[i].interval.low, expected[i][1], 1e-8) << found[i].name;
    EXPECT_NEAR(found[i].interval.high, expected[i][2], 1e-8) << found[i].name;
  }
}

TEST(Intraclass, EqualsShroutAndFleiss) {
  // Shrout and Fleiss 1979, tables 2 and 4: six targets, four judges.
  const std::vector<std::vector<double>> ratings = {{9, 2, 5, 8}, {6, 1, 3, 2},  {8, 4, 6, 8},
                                                    {7, 1, 2, 6}, {10, 5, 6, 9}, {6, 2, 4, 7}};
  const double expected[] = {0.17, 0.29, 0.71, 0.44, 0.62, 0.91};
  const auto found = intraclass_correlations(ratings);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(found[i].value, expected[i], 0.005) << found[i].name;
}

TEST(Intraclass, JudgesWhoDifferByALevelAgreePerfectlyInOrder) {
  const auto found = intraclass_correlations(std::vector<std::vector<double>>{{1, 2}, {3, 4}, {7, 8}});
  EXPECT_EQ(found[2].value, 1);
  EXPECT_LT(found[1].value, 1);
  const auto same = intraclass_correlations(std::vector<std::vector<double>>{{1, 1}, {3, 3}});
  for (const auto& one : same) EXPECT_EQ(one.value, 1) << one.name;
  const auto constant = intraclass_correlations(std::vector<std::vector<double>>{{1, 1}, {1, 1}});
  for (const auto& one : constant) EXPECT_TRUE(std::isnan(one.value)) << one.name;
}

// Krippendorff 2011, section C: four observers, twelve units.
const std::vector<std::vector<double>> observers = {{1, 1, 1},    {2, 2, 3, 2}, {3, 3, 3, 3}, {3, 3, 3, 3},
                                                    {2, 2, 2, 2}, {1, 2, 3, 4}, {4, 4, 4, 4}, {1, 1, 2, 1},
                                                    {2, 2, 2, 2}, {5, 5, 5},    {1, 1},       {3}};

TEST(KrippendorffAlpha, EqualsAllFourPublishedValues) {
  EXPECT_NEAR(krippendorff_alpha(observers, Metric::nominal), 0.743, 5e-4);
  EXPECT_NEAR(krippendorff_alpha(observers, Metric::ordinal), 0.815, 5e-4);
  EXPECT_NEAR(krippendorff_alpha(observers, Metric::interval), 0.849, 5e-4);
  EXPECT_NEAR(krippendorff_alpha(observers, Metric::ratio), 0.797, 5e-4);
}

TEST(KrippendorffAlpha, NamesOfLabelsDoNotMatterToTheNominalNorOrderPreservingOnesToTheOrdinal) {
  const auto mapped = [](const std::vector<double>& values) {
    auto units = observers;
    for (auto& unit : units) {
      for (double& value : unit) value = values[static_cast<std::size_t>(value)];
    }
    return units;
  };
  const double nominal = krippendorff_alpha(observers, Metric::nominal);
  EXPECT_NEAR(krippendorff_alpha(mapped({0, 3, 5, 1, 2, 4}), Metric::nominal), nominal, 1e-12);
  const double ordinal = krippendorff_alpha(observers, Metric::ordinal);
  EXPECT_NEAR(krippendorff_alpha(mapped({0, 1, 10, 11, 50, 900}), Metric::ordinal), ordinal, 1e-12);
  auto turned = observers;
  for (auto& unit : turned) std::reverse(unit.begin(), unit.end());
  EXPECT_NEAR(krippendorff_alpha(turned, Metric::interval), krippendorff_alpha(observers, Metric::interval), 1e-12);
}

TEST(RanksParity, CorrelationsEqualScipys) {
  const Json& all = statistics("ranks");
  const auto x = column(all, "x"), y = column(all, "y"), z = column(all, "z");
  EXPECT_NEAR(kendall_tau_b(x, y), number(all, "kendall"), 1e-12);
  EXPECT_NEAR(rank_correlation(x, y), number(all, "spearman"), 1e-12);
  EXPECT_NEAR(correlation(x, y), number(all, "pearson"), 1e-12);
  const Concordance w = kendall_w(std::vector<std::vector<double>>{x, y, z});
  EXPECT_NEAR(w.w, number(all, "w"), 1e-12);
  EXPECT_NEAR(w.chi_squared, number(all, "chi_squared"), 1e-9);
  EXPECT_NEAR(w.p, number(all, "p"), 1e-9);
}

TEST(Ranks, TauCountsPairs) {
  // Of 1 2 3 4 against 1 3 2 4 one of six pairs is turned: (5 - 1) / 6. Constants have none.
  EXPECT_NEAR(kendall_tau_b(std::vector<double>{1, 2, 3, 4}, std::vector<double>{1, 3, 2, 4}), 4.0 / 6, 1e-12);
  EXPECT_TRUE(std::isnan(kendall_tau_b(std::vector<double>{1, 2}, std::vector<double>{1, 1})));
  EXPECT_TRUE(std::isnan(correlation(std::vector<double>{0.1, 0.1, 0.1}, std::vector<double>{1, 2, 3})));
}

LabelVotes votes_of(const Json& rows, std::int32_t labels) {
  LabelVotes votes{.labels = labels};
  for (const Json& row : rows.items()) {
    votes.raters = static_cast<std::int32_t>(row.size());
    for (std::int32_t r = 0; r < votes.raters; ++r) {
      const auto said = row.items()[static_cast<std::size_t>(r)].integer();
      votes.votes.push_back({votes.items, r, static_cast<std::int32_t>(said)});
    }
    ++votes.items;
  }
  return votes;
}

TEST(DawidSkeneParity, BeliefsEqualThoseOfTheTextbookIteration) {
  const Json& all = statistics("dawid_skene");
  const DawidSkene model =
      fit_dawid_skene(votes_of(*all.find("votes"), 3), {.steps = {.most_iterations = 5'000, .tolerance = 1e-14}});
  EXPECT_NEAR(model.likelihoods.back(), number(all, "likelihood"), 1e-6);
  std::size_t place = 0;
  for (const Json& row : all.find("beliefs")->items()) {
    for (const double belief : column(row)) EXPECT_NEAR(model.beliefs[place++], belief, 1e-5);
  }
}

TEST(BootstrapParity, BcaIntervalsOfASkewedMeanEqualScipysUpToItsDraws) {
  const Json& all = *statistics("others").find("bca");
  const auto values = column(all, "values");
  const auto mean = [&](std::span<const std::size_t> drawn) {
    double sum = 0;
    for (const std::size_t i : drawn) sum += values[i];
    return sum / static_cast<double>(drawn.size());
  };
  const BootstrapOptions options{.resamples = 20'000};
  const auto bca = bootstrap(values.size(), mean, options, BootstrapKind::bca).interval;
  const auto plain = bootstrap(values.size(), mean, options).interval;
  // Two independent draws of 20,000: their ends differ by about one percent of the width; percentiles by ten.
  const double width = number(all, "high") - number(all, "low");
  EXPECT_NEAR(bca.low, number(all, "low"), 0.03 * width);
  EXPECT_NEAR(bca.high, number(all, "high"), 0.03 * width);
  EXPECT_GT(bca.high - plain.high, 0.03 * width);
}

TEST(Bootstrap, OfAConstantIsThatConstantAndUndefinedResamplesAreCounted) {
  const auto one = bootstrap(
      5, [](auto) { return 3.0; }, {.resamples = 20}, BootstrapKind::bca);
  EXPECT_EQ(one.interval.low, 3);
  EXPECT_EQ(one.interval.high, 3);
  const auto none = bootstrap(5, [](auto) { return std::nan(""); }, {.resamples = 20});
  EXPECT_EQ(none.undefined, 20);
  EXPECT_TRUE(std::isnan(none.interval.low));
}

TEST(LabelDistributions, JensenShannonEqualsScipys) {
  const Json& all = *statistics("others").find("js");
  EXPECT_NEAR(jensen_shannon_bits(column(all, "p"), column(all, "q")), number(all, "bits"), 1e-12);
  EXPECT_NEAR(jensen_shannon_bits(std::vector<double>{1, 0}, std::vector<double>{0, 1}), 1, 1e-12);
  EXPECT_NEAR(cross_entropy_of(std::vector<double>{0.5, 0.5}, std::vector<double>{0.25, 0.75}),
              -0.5 * std::log(0.25) - 0.5 * std::log(0.75), 1e-12);
  EXPECT_NEAR(total_variation(std::vector<double>{0.5, 0.5}, std::vector<double>{0.25, 0.75}), 0.25, 1e-12);
}

TEST(LabelDistributions, AGroupThatHoldsTogetherHasAnIndexAboveOne) {
  // Raters 0 and 1 agree on everything, 2 and 3 too, the two groups say the opposite on half of the units.
  std::vector<Vote> votes;
  for (std::int32_t unit = 0; unit < 8; ++unit) {
    for (std::int32_t rater = 0; rater < 4; ++rater) {
      const bool turned = rater >= 2 && unit % 4 >= 2;
      votes.push_back({unit, rater, static_cast<double>(turned ? 1 - unit % 2 : unit % 2)});
    }
  }
  const GroupAgreement apart = group_agreement(votes, {true, true, false, false});
  EXPECT_EQ(apart.inside, 1);
  EXPECT_NEAR(apart.across, 0, 1e-12);  // half of the pairs disagree, as by chance
  const GroupAgreement mixed = group_agreement(votes, {true, false, true, false});
  EXPECT_LT(mixed.inside, mixed.across);  // each agrees with one of the others only
  EXPECT_EQ(mixed.raters, 2);
}

TEST(PowerParity, OfTheSignTestEqualsScipysBinomials) {
  for (const Json& row : statistics("others").find("power")->items()) {
    const auto values = column(row);
    EXPECT_NEAR(sign_test_power(static_cast<std::int64_t>(values[0]), values[1]), values[2], 1e-9);
  }
}

TEST(Power, TheSizeIsTheLastOneThatDoesNotFallShort) {
  for (const double rate : {0.4, 0.55, 0.7, 0.95}) {
    const std::int64_t size = sign_test_size(rate);
    EXPECT_LT(sign_test_power(size - 1, rate), 0.8);
    for (std::int64_t n = size; n < size + 60; ++n) EXPECT_GE(sign_test_power(n, rate), 0.8) << rate << " " << n;
    EXPECT_NEAR(static_cast<double>(size), sign_test_size_normal(rate), 0.1 * sign_test_size_normal(rate) + 15);
  }
  EXPECT_NEAR(sign_test_power(100, detectable_win_rate(100)), 0.8, 1e-9);
  EXPECT_EQ(design_effect(5, 0.25), 2);
}

}  // namespace
}  // namespace attune
