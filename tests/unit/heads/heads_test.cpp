// What the outputs of a score head mean, held against closed forms.
#include <ATen/ops/allclose.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/config/read.h"
#include "attune/heads/reward_head.h"

namespace attune {
namespace {

Tensor rows(const std::vector<std::vector<double>>& values) {
  std::vector<double> flat;
  for (const auto& row : values) flat.insert(flat.end(), row.begin(), row.end());
  return at::tensor(flat, at::kDouble).view({static_cast<std::int64_t>(values.size()), -1});
}

Tensor random_rows(std::int64_t count, std::int64_t width, double scale, const char* stream) {
  Random random(3, stream);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count * width; ++i) values.push_back(scale * random.normal());
  return at::tensor(values, at::kDouble).view({count, width});
}

Choice<RewardHead> head(const std::string& text, std::int64_t labels) {
  return head_of(Json::object({{std::string(head_key), Json::parse(text)}}), labels, "config.json");
}

double density(double x, double mean, double spread) {
  const double z = (x - mean) / spread;
  return std::exp(-0.5 * z * z) / (spread * std::sqrt(2 * M_PI));
}

// Simpson's rule over [low, high].
double integral(double low, double high, double mean, double spread) {
  constexpr int pieces = 4000;
  const double width = (high - low) / pieces;
  double sum = density(low, mean, spread) + density(high, mean, spread);
  for (int i = 1; i < pieces; ++i) sum += (i % 2 == 1 ? 4 : 2) * density(low + i * width, mean, spread);
  return sum * width / 3;
}

TEST(MeanVarianceHead, ItsVerdictsAreTheIntegralsOfTheGaussianAndSumToOne) {
  const auto mean_variance = head(R"({"mean-variance": {"correlation": 0.3, "smallest": 0.05}})", 2);
  const Tensor a = random_rows(40, 2, 1.5, "a"), b = random_rows(40, 2, 1.5, "b");
  const Tensor verdict = mean_variance->log_verdicts(a, b).exp();
  EXPECT_TRUE(at::allclose(verdict.sum(1), at::ones({40}, at::kDouble), 1e-10));
  const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
  for (std::int64_t i = 0; i < 40; ++i) {
    const double sigma_a = softplus(a[i][1].item<double>()) + 0.05, sigma_b = softplus(b[i][1].item<double>()) + 0.05;
    const double mean = a[i][0].item<double>() - b[i][0].item<double>();
    const double spread = std::sqrt(sigma_a * sigma_a + sigma_b * sigma_b - 0.6 * sigma_a * sigma_b);
    EXPECT_NEAR(mean_variance->spread(a)[i].item<double>(), sigma_a, 1e-12);
    const double bounds[] = {mean - 12 * spread - 3, -1.5, -0.5, 0.5, 1.5, mean + 12 * spread + 3};
    for (std::int64_t k = 0; k < verdicts; ++k) {
      EXPECT_NEAR(verdict[i][k].item<double>(), integral(bounds[k], bounds[k + 1], mean, spread), 1e-8)
          << i << " " << k;
    }
    const double wins = integral(0, mean + 12 * spread + 3, mean, spread);
    EXPECT_NEAR(1 / (1 + std::exp(-mean_variance->log_odds(a, b)[i].item<double>())), wins, 1e-8);
  }
}

TEST(MeanVarianceHead, TurningAPairTurnsItsVerdicts) {
  const auto mean_variance = head(R"({"mean-variance": {}})", 2);
  const Tensor a = random_rows(20, 2, 2, "a"), b = random_rows(20, 2, 2, "b");
  EXPECT_TRUE(at::allclose(mean_variance->log_verdicts(a, b), mean_variance->log_verdicts(b, a).flip(1), 1e-9, 1e-9));
  EXPECT_TRUE(at::allclose(mean_variance->log_odds(a, b), -mean_variance->log_odds(b, a), 1e-9, 1e-9));
}

TEST(MeanVarianceHead, StaysFiniteWithItsGradientFarOut) {
  const auto mean_variance = head(R"({"mean-variance": {}})", 2);
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    Tensor a = rows({{80, -30}, {-80, -30}, {0, 60}, {3, 0}, {0, 0}}).to(type).requires_grad_(true);
    const Tensor b = rows({{0, -30}, {0, -30}, {0, 60}, {3, 0}, {80, 5}}).to(type);
    const Tensor verdict = mean_variance->log_verdicts(a, b);
    EXPECT_TRUE(at::isfinite(verdict).all().item<bool>()) << verdict;
    (verdict.sum() + mean_variance->log_odds(a, b).sum()).backward();
    EXPECT_TRUE(at::isfinite(a.grad()).all().item<bool>()) << a.grad();
  }
}

TEST(GpmHead, IsSkewSymmetricAndOfOnePlaneTheCrossProduct) {
  const auto one = head(R"({"gpm": {"planes": 1, "temperature": 0.5}})", 2);
  const Tensor a = rows({{1, 2}, {0, 3}}), b = rows({{3, 5}, {2, 0}});
  EXPECT_TRUE(at::allclose(one->log_odds(a, b), at::tensor({-2.0, -12.0}, at::kDouble)));  // (5 - 6, 0 - 6) / 0.5
  const auto three = head(R"({"gpm": {"planes": 3}})", 6);
  const Tensor x = random_rows(10, 6, 1, "x"), y = random_rows(10, 6, 1, "y");
  EXPECT_TRUE(at::allclose(three->log_odds(x, y), -three->log_odds(y, x), 1e-12, 1e-12));
  EXPECT_LT(three->log_odds(x, x).abs().max().item<double>(), 1e-12);
  EXPECT_FALSE(three->score(x).defined());
}

TEST(AttributesHead, ScoresByItsFirstAttributeOrByWeights) {
  const Tensor outputs = rows({{1, 2}, {3, 5}});
  const auto first = head(R"({"attributes": {"names": ["helpfulness", "verbosity"]}})", 2);
  EXPECT_TRUE(at::allclose(first->score(outputs), at::tensor({1.0, 3.0}, at::kDouble)));
  const auto weighted = head(R"({"attributes": {"names": ["helpfulness", "verbosity"], "weights": [1, -0.5]}})", 2);
  EXPECT_TRUE(at::allclose(weighted->score(outputs), at::tensor({0.0, 0.5}, at::kDouble)));
  EXPECT_EQ(weighted->attributes(), (std::vector<std::string>{"helpfulness", "verbosity"}));
}

TEST(RatingsHead, ScoresTheExpectedRatingAndItsSpread) {
  const auto ratings = head(R"({"ratings": {"low": 1, "high": 3}})", 3);
  const Tensor outputs = rows({{std::log(0.5), std::log(0.25), std::log(0.25)}});
  EXPECT_NEAR(ratings->score(outputs).item<double>(), 1.75, 1e-12);                // 0.5 + 0.5 + 0.75
  EXPECT_NEAR(ratings->spread(outputs).item<double>(), std::sqrt(0.6875), 1e-12);  // 0.5 + 1 + 2.25 - 1.75^2
  EXPECT_EQ(ratings->levels(), (std::vector<double>{1, 2, 3}));
}

TEST(Heads, AreKeptInAConfigAndInferredWhereItSaysNothing) {
  const auto kept = head(R"({"mean-variance": {"correlation": 0.25}})", 2);
  EXPECT_EQ(to_json(head(to_json(kept).str(), 2)), to_json(kept));
  EXPECT_EQ(head_of(Json::object(), 1, "config.json").name(), "scalar");
  const Json named = Json::parse(R"({"id2label": {"0": "helpfulness", "1": "correctness"}})");
  EXPECT_EQ(head_of(named, 2, "config.json")->outputs(), (std::vector<std::string>{"helpfulness", "correctness"}));
}

TEST(Heads, ThatDoNotFitAreRefused) {
  EXPECT_THROW(head(R"({"scalar": {}})", 2), FormatError);
  EXPECT_THROW(head(R"({"nothing": {}})", 1), FormatError);
  EXPECT_THROW(head(R"({"mean-variance": {"slight": 2}})", 2), FormatError);
  EXPECT_THROW(head(R"({"attributes": {"names": ["a", "a"]}})", 2), FormatError);
  EXPECT_THROW(head(R"({"attributes": {"names": ["a", "b"], "weights": [1]}})", 2), FormatError);
  EXPECT_THROW(head(R"({"ratings": {"low": 3, "high": 3}})", 1), FormatError);
}

class EveryHead : public ::testing::TestWithParam<const PartRow<RewardHead>*> {};

TEST_P(EveryHead, AnswersInTheShapesItPromises) {
  const auto part = GetParam()->part->make();
  const auto names = part->outputs();
  const Tensor a = random_rows(7, std::ssize(names), 1, "a"), b = random_rows(7, std::ssize(names), 1, "b");
  for (const Tensor& column : {part->score(a), part->spread(a)}) {
    if (column.defined()) {
      EXPECT_EQ(column.sizes(), at::IntArrayRef({7}));
    }
  }
  EXPECT_EQ(part->log_odds(a, b).sizes(), at::IntArrayRef({7}));
  EXPECT_TRUE(at::allclose(part->log_odds(a, b), -part->log_odds(b, a), 1e-9, 1e-9));
  if (part->log_verdicts(a, b).defined()) {
    EXPECT_EQ(part->log_verdicts(a, b).sizes(), at::IntArrayRef({7, verdicts}));
  }
  if (part->log_ratings(a).defined()) {
    EXPECT_EQ(part->log_ratings(a).sizes(), at::IntArrayRef({7, std::ssize(part->levels())}));
  }
  EXPECT_STRNE(GetParam()->part->text.paper, "");
}

std::vector<const PartRow<RewardHead>*> all() {
  std::vector<const PartRow<RewardHead>*> result;
  for (const auto& row : part_rows<RewardHead>()) result.push_back(&row);
  return result;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryHead, ::testing::ValuesIn(all()), [](const auto& row) {
  std::string name(row.param->path);
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace attune
