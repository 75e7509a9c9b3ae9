// weight/preference-strength: the bands, what becomes of a comparison in each, and what the paper claims of the
// measure.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/random.h"
#include "support/temporary.h"
#include "unit/curate/support.h"

namespace attune {
namespace {

using testing::answered;
using testing::curated;
using testing::TemporaryDirectory;

struct Row {
  int record = 0, completion = 0;
  double score = 0;
};

std::string write_scores(const Path& path, const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    text += "{\"record\":" + std::to_string(row.record) + ",\"completion\":" + std::to_string(row.completion) +
            ",\"score\":" + format_double(row.score) + "}\n";
  }
  write_durably(disk(), path, text);
  return path.string();
}

Record preferred(std::int32_t better) {
  Record record = answered("p", {"a", "b"});
  testing::prefer(record, better, 1 - better);
  return record;
}

TEST(PreferenceStrength, DropsFlipsAndSmoothsFromTheWeakestOn) {
  const TemporaryDirectory directory;
  // Gaps of the first answer by two models: -3, -1, 0.5, 2 in the mean.
  const auto one = write_scores(
      directory / "one", {{0, 0, -2}, {0, 1, 0}, {1, 0, 0}, {1, 1, 1}, {2, 0, 1}, {2, 1, 1}, {3, 0, 3}, {3, 1, 0}});
  const auto two = write_scores(
      directory / "two", {{0, 0, -4}, {0, 1, 0}, {1, 0, 0}, {1, 1, 1}, {2, 0, 2}, {2, 1, 1}, {3, 0, 1}, {3, 1, 0}});
  const Curated result = curated({preferred(0), preferred(0), preferred(0), preferred(0)},
                                 "[{weight/preference-strength: {drop: 0.25, flip: 0.25, smooth: 0.25, smoothing: 0.2, "
                                 "scores: [" +
                                     one + ", " + two + "]}}]");
  ASSERT_EQ(result.dataset.records.size(), 3U);
  const auto flipped = pairs(result.dataset.records[0]), smoothed = pairs(result.dataset.records[1]),
             kept = pairs(result.dataset.records[2]);
  ASSERT_EQ(flipped.size(), 1U);
  EXPECT_EQ(flipped[0].chosen, 1);
  EXPECT_EQ(flipped[0].strength, 1);
  ASSERT_EQ(smoothed.size(), 2U);
  EXPECT_EQ(smoothed[0].chosen, 0);
  EXPECT_DOUBLE_EQ(smoothed[0].weight, 0.8);
  EXPECT_EQ(smoothed[1].chosen, 1);
  EXPECT_DOUBLE_EQ(smoothed[1].weight, 0.2);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].strength, 2);
  EXPECT_EQ(result.steps[0].findings.find("below_zero")->number(), 2);
  EXPECT_DOUBLE_EQ(result.steps[0].findings.find("mean_spread")->number(), (1 + 0 + 0.5 + 1) / 4);
}

TEST(PreferenceStrength, ScoresOfOtherDataAndWhatIsNoScoreAreRefused) {
  const TemporaryDirectory directory;
  const auto run = [&](const std::string& files) {
    return curated({preferred(0)}, "[{weight/preference-strength: {scores: [" + files + "]}}]");
  };
  EXPECT_THROW(run(write_scores(directory / "less", {{0, 0, 1}})), DataError);
  write_durably(disk(), directory / "other", "{\"id\": 3}\n");
  EXPECT_THROW(run((directory / "other").string()), DataError);
  write_durably(disk(), directory / "damaged", "{\"record\": 0, \n");
  EXPECT_THROW(run((directory / "damaged").string()), DataError);
  EXPECT_THROW(testing::operators_of("[{weight/preference-strength: {}}]")[0]->check(), ConfigError);
  EXPECT_THROW(testing::operators_of("[{weight/preference-strength: {scores: [x], drop: 0.6, flip: 0.6}}]")[0]->check(),
               ConfigError);
}

// A linear reward of eight features; a logistic regression by gradient ascent stands for a reward model.
struct World {
  static constexpr std::size_t width = 8, pairs = 300;
  std::vector<std::vector<double>> gaps;  // features of the chosen less those of the rejected
  std::vector<bool> wrong;
  std::vector<double> truth;
  explicit World(std::uint64_t seed) {
    Random random(seed, "strength");
    for (std::size_t d = 0; d < width; ++d) truth.push_back(random.normal());
    for (std::size_t i = 0; i < pairs; ++i) {
      std::vector<double> gap;
      for (std::size_t d = 0; d < width; ++d) gap.push_back(random.normal());
      wrong.push_back(random.uniform() < 0.2);
      const double sign = (dot(gap, truth) > 0) != wrong.back() ? 1 : -1;
      for (double& value : gap) value *= sign;
      gaps.push_back(std::move(gap));
    }
  }
  static double dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t d = 0; d < width; ++d) sum += a[d] * b[d];
    return sum;
  }
  // Of the pairs drawn with replacement (all where `random` is null), the labels turned where `turned`.
  std::vector<double> trained(Random* random, const std::vector<double>& sign) const {
    std::vector<std::size_t> drawn;
    for (std::size_t i = 0; i < pairs; ++i) drawn.push_back(random != nullptr ? random->below(pairs) : i);
    std::vector<double> weights(width, 0);
    for (int step = 0; step < 60; ++step) {
      std::vector<double> slope(width, 0);
      for (const std::size_t i : drawn) {
        const double doubt = sign[i] / (1 + std::exp(sign[i] * dot(gaps[i], weights)));
        for (std::size_t d = 0; d < width; ++d) slope[d] += doubt * gaps[i][d] / pairs;
      }
      for (std::size_t d = 0; d < width; ++d) weights[d] += slope[d];
    }
    return weights;
  }
  double angle_to_truth(const std::vector<double>& weights) const {
    return std::acos(dot(weights, truth) / std::sqrt(dot(weights, weights) * dot(truth, truth)));
  }
};

TEST(PreferenceStrength, FindsTheFlippedLabelsAndTurningTheWeakestRoundHelps) {
  // The error of a linear reward model on new pairs is its angle to the truth over pi.
  double before = 0, after = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const World world(seed);
    const TemporaryDirectory directory;
    Random random(seed, "members");
    std::string files;
    std::vector<Record> records(World::pairs, preferred(0));
    const std::vector<double> as_labelled(World::pairs, 1);
    std::vector<double> strength(World::pairs, 0);
    for (int m = 0; m < 5; ++m) {
      const auto weights = world.trained(&random, as_labelled);
      std::vector<Row> rows;
      for (std::size_t i = 0; i < World::pairs; ++i) {
        rows.push_back({static_cast<int>(i), 0, World::dot(world.gaps[i], weights)});
        rows.push_back({static_cast<int>(i), 1, 0});
        strength[i] += rows[2 * i].score / 5;
      }
      files += (m > 0 ? ", " : "") + write_scores(directory / std::to_string(m), rows);
    }
    const Curated result = curated(records, "[{weight/preference-strength: {flip: 0.1, scores: [" + files + "]}}]");
    std::vector<double> cleaned, wrong, right;  // wrong and right: mean gaps
    for (std::size_t i = 0; i < World::pairs; ++i) {
      const Pair pair = pairs(result.dataset.records[i]).at(0);
      cleaned.push_back(pair.chosen == 0 ? 1 : -1);
      (world.wrong[i] ? wrong : right).push_back(strength[i]);
    }
    double above = 0, mean = 0;
    for (const double w : wrong) {
      mean += w / static_cast<double>(wrong.size());
      for (const double r : right) above += r > w ? 1 : 0;
    }
    EXPECT_LT(mean, 0) << seed;
    EXPECT_GT(above / static_cast<double>(wrong.size() * right.size()), 0.9) << seed;
    before += world.angle_to_truth(world.trained(nullptr, as_labelled));
    after += world.angle_to_truth(world.trained(nullptr, cleaned));
  }
  EXPECT_LT(after, 0.95 * before);
}

}  // namespace
}  // namespace attune
