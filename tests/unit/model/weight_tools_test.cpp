// Soups, ExPO, SLERP and WARP against closed forms in float64, and what a folder of their results is.
#include "attune/model/weight_tools.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/tensor/safetensors.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::distance;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;
using testing::tiny_model;

Tensor row(std::vector<double> values) { return at::tensor(values, at::kDouble); }
double length_of(const Tensor& x) { return std::sqrt((x * x).sum().item<double>()); }

TEST(WeightTools, ASoupIsTheWeightedMean) {
  const std::vector<Tensor> models = {row({1, 2}), row({3, 6}), row({5, -5})};
  EXPECT_LT(distance(soup(models, std::vector<double>{1, 1, 1}), row({3, 1})), 1e-15);
  // (2 (1, 2) + 1 (3, 6) + 1 (5, -5)) / 4
  EXPECT_LT(distance(soup(models, std::vector<double>{2, 1, 1}), row({2.5, 1.25})), 1e-15);
  EXPECT_LT(distance(soup(models, std::vector<double>{0, 7, 0}), models[1]), 1e-15);
}

TEST(WeightTools, ExpoGoesBeyondTheAlignedModel) {
  const Tensor start = row({1, 0}), aligned = row({2, -1});
  EXPECT_LT(distance(extrapolate(aligned, start, 0.5), row({2.5, -1.5})), 1e-15);
  EXPECT_TRUE(at::equal(extrapolate(aligned, start, 0), aligned));
  EXPECT_LT(distance(extrapolate(aligned, start, -1), start), 1e-15);
}

TEST(WeightTools, SlerpOfUnitVectorsStaysOnTheUnitCircleAtTheShareOfTheAngle) {
  for (const double angle : {0.001, 0.7, 1.5, 3.0}) {
    const Tensor a = row({1, 0}), b = row({std::cos(angle), std::sin(angle)});
    for (const double t : {0.0, 0.25, 0.5, 1.0}) {
      EXPECT_LT(distance(slerp(a, b, t), row({std::cos(t * angle), std::sin(t * angle)})), 1e-12) << angle << " " << t;
    }
  }
}

TEST(WeightTools, SlerpKeepsTheNormThatTheStraightLineLoses) {
  const Tensor a = row({3, 0, 4}), b = row({0, 5, 0});  // both of norm 5, at a right angle
  EXPECT_NEAR(length_of(slerp(a, b, 0.5)), 5, 1e-12);
  EXPECT_NEAR(length_of(0.5 * a + 0.5 * b), 5 / std::sqrt(2), 1e-12);
}

TEST(WeightTools, SlerpWithoutAnArcIsTheStraightLine) {
  EXPECT_LT(distance(slerp(row({1, 1}), row({3, 3}), 0.25), row({1.5, 1.5})), 1e-12);    // parallel
  EXPECT_LT(distance(slerp(row({1, 1}), row({-1, -1}), 0.25), row({0.5, 0.5})), 1e-12);  // opposite
  EXPECT_LT(distance(slerp(row({0, 0}), row({2, 4}), 0.5), row({1, 2})), 1e-12);         // of no length
}

TEST(WeightTools, WarpMovesFromTheStartAlongTheSphericalMeanOfTheTasks) {
  const Tensor start = row({10, 10, 10});
  const std::vector<Tensor> policies = {row({11, 10, 10}), row({10, 11, 10}), row({10, 10, 11})};
  // Two tasks of length 1 at a right angle: their mean is (1, 1) / sqrt(2).
  const double half = 1 / std::sqrt(2);
  EXPECT_LT(distance(warp(start, std::span(policies).first(2), 1), row({10 + half, 10 + half, 10})), 1e-12);
  // The third joins at t = 1 / 3, 90 degrees away from that mean: cos 30 of it and sin 30 of the third.
  const double c = std::cos(M_PI / 6) * half;
  EXPECT_LT(distance(warp(start, policies, 1), row({10 + c, 10 + c, 10.5})), 1e-12);
  EXPECT_LT(distance(warp(start, policies, 0.4), start + 0.4 * row({c, c, 0.5})), 1e-12);
  EXPECT_TRUE(at::equal(warp(start, policies, 0), start));
  EXPECT_LT(distance(warp(start, std::span(policies).first(1), 1), policies[0]), 1e-12);
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

Tensor mean_of_two(std::span<const Tensor> tensors) { return soup(tensors, std::vector<double>{1, 1}); }

TEST(WeightTools, AFolderKeepsConfigFilesAndElementTypesOfTheFirstModel) {
  const TemporaryDirectory directory;
  const LanguageModel a = tiny_model(testing::tiny_qwen2, at::kFloat, 1);
  const LanguageModel b = tiny_model(testing::tiny_qwen2, at::kFloat, 2);
  a.save(disk(), directory / "a", {.dtype = at::kBFloat16, .shard_bytes = 8'000});
  b.save(disk(), directory / "b");
  const std::vector<Path> folders = {directory / "a", directory / "b"};
  combine_folders(disk(), folders, directory / "soup", mean_of_two);

  EXPECT_EQ(list_directory(directory / "soup"), list_directory(directory / "a"));
  EXPECT_GT(list_directory(directory / "soup").size(), 3U);  // several shards
  EXPECT_EQ(read_file(directory / "soup" / "config.json"), read_file(directory / "a" / "config.json"));
  const SafetensorsFolder sources[] = {SafetensorsFolder(folders[0]), SafetensorsFolder(folders[1])};
  const SafetensorsFolder result(directory / "soup");
  ASSERT_EQ(result.names(), sources[0].names());
  for (const std::string& name : result.names()) {
    const Tensor sum = sources[0].view(name).to(at::kFloat) + sources[1].view(name);
    EXPECT_TRUE(at::equal(result.view(name), (0.5 * sum).to(at::kBFloat16))) << name;
  }
  EXPECT_NO_THROW(LanguageModel::load(directory / "soup"));
}

TEST(WeightTools, InFloat64TheFolderHoldsTheExactRule) {
  const TemporaryDirectory directory;
  std::vector<Path> folders;
  std::vector<LanguageModel> models;
  for (const std::uint64_t seed : {1, 2, 3}) {
    models.push_back(tiny_model(testing::tiny_gpt2, at::kDouble, seed));
    folders.push_back(directory / std::to_string(seed));
    models.back().save(disk(), folders.back(), {.dtype = at::kDouble});
  }
  combine_folders(disk(), folders, directory / "warp",
                  [](auto tensors) { return warp(tensors[2], tensors.first(2), 0.7); });
  const LanguageModel merged = LanguageModel::load(directory / "warp", {.dtype = at::kDouble});
  for (const std::string& name : merged.parameters().names()) {
    const std::vector<Tensor> policies = {models[0].parameters().part(name), models[1].parameters().part(name)};
    EXPECT_LT(distance(merged.parameters().part(name), warp(models[2].parameters().part(name), policies, 0.7)), 1e-12);
  }
}

TEST(WeightTools, ModelsOfDifferentShapesAreRefusedInOneLine) {
  const TemporaryDirectory directory;
  tiny_model(testing::tiny_llama, at::kFloat).save(disk(), directory / "a");
  tiny_model(testing::tiny_mistral, at::kFloat).save(disk(), directory / "b");
  Json wide = Json::parse(testing::tiny_llama);
  wide.set("intermediate_size", 44);
  LanguageModel::random(parse_model_config(wide, "config.json"), 1).save(disk(), directory / "c");
  const auto combined = [&](const char* other, const char* out) {
    return refusal([&] {
      const std::vector<Path> folders = {directory / "a", directory / other};
      combine_folders(disk(), folders, directory / out, mean_of_two);
    });
  };
  EXPECT_THAT(combined("b", "out"), HasSubstr("model.layers.2.input_layernorm.weight is missing"));
  EXPECT_THAT(combined("c", "out"), HasSubstr("shape [44, 24] instead of [40, 24]"));
  EXPECT_EQ(combined("c", "out").find('\n'), std::string::npos);
  EXPECT_THAT(combined("none", "out"), HasSubstr("none"));
  EXPECT_FALSE(std::filesystem::exists(directory / "out")) << "a refusal left a folder behind";
  EXPECT_THAT(combined("a", "a"), HasSubstr("the folder of one of the models"));
  EXPECT_THAT(combined("a", "c"), HasSubstr("holds weights already"));
}

TEST(WeightTools, AStepThatOverflowsTheElementTypeIsRefusedByTensor) {
  const TemporaryDirectory directory;
  tiny_model(testing::tiny_llama, at::kFloat, 1).save(disk(), directory / "a", {.dtype = at::kHalf});
  tiny_model(testing::tiny_llama, at::kFloat, 2).save(disk(), directory / "b", {.dtype = at::kHalf});
  const std::vector<Path> folders = {directory / "a", directory / "b"};
  const auto rule = [](auto tensors) { return extrapolate(tensors[0], tensors[1], 1e6); };
  EXPECT_THAT(refusal([&] { combine_folders(disk(), folders, directory / "out", rule); }), HasSubstr("not finite"));
}

}  // namespace
}  // namespace attune
