// Sequence classifiers: transformers' scores of padded sequences, recorded by record_families.py, and its conventions.
#include "attune/model/classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attune/base/errors.h"
#include "support/recorded_models.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::distance;
using ::testing::HasSubstr;
using testing::ids_of;
using testing::numbers_of;
using testing::recorded_model;

class Classifiers : public ::testing::TestWithParam<std::string> {};

// All sequences in one forest, each marked where it is scored.
Tensor scores_of(const LanguageModel& model, const std::vector<std::vector<std::int32_t>>& sequences) {
  ForestBuilder builder;
  for (const auto& ids : sequences) builder.mark(builder.add(ids), scored_token(ids, model.config().pad_token));
  return model.label_scores(builder.build()).scores;
}

TEST_P(Classifiers, ScoresEqualTransformers) {
  const LanguageModel model = LanguageModel::load(recorded_model(GetParam()), {.classifier = true});
  const Json record = testing::expected_of(GetParam());
  std::vector<std::vector<std::int32_t>> sequences;
  for (const Json& ids : record.find("sequences")->items()) sequences.push_back(ids_of(ids));
  const Tensor scores = scores_of(model, sequences);
  ASSERT_EQ(scores.size(1), model.config().labels);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Tensor wanted = numbers_of(record.find("scores")->items()[i]);
    EXPECT_LT(distance(scores[static_cast<std::int64_t>(i)], wanted), 1e-4) << i;
  }
}

TEST_P(Classifiers, SavedAgainAreByteIdentical) {
  const testing::TemporaryDirectory directory;
  LanguageModel::load(recorded_model(GetParam()), {.classifier = true}).save(disk(), directory / "model");
  EXPECT_TRUE(read_file(directory / "model" / "model.safetensors") ==
              read_file(recorded_model(GetParam()) / "model.safetensors"));
  EXPECT_EQ(Json::parse(read_file(directory / "model" / "config.json")),
            Json::parse(read_file(recorded_model(GetParam()) / "config.json")));
}

INSTANTIATE_TEST_SUITE_P(Recorded, Classifiers, ::testing::ValuesIn(testing::recorded_families(true)),
                         [](const auto& test) {
                           std::string name = test.param.substr(9);  // behind "families/"
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(ScoredToken, IsTheLastThatIsNoPad) {
  const std::vector<std::int32_t> ids = {3, 5, 3, 6, 3, 3};
  EXPECT_EQ(scored_token(ids, 3), 3);
  EXPECT_EQ(scored_token(ids, -1), 5);
  EXPECT_EQ(scored_token(std::vector<std::int32_t>{3, 3}, 3), 0);
}

TEST(Classifier, IsMadeFromALanguageModelAndKeptAsOne) {
  const testing::TemporaryDirectory directory;
  const LoadOptions options{.classifier = true, .seed = 4};
  const LanguageModel made = LanguageModel::load(recorded_model("families/gemma2"), options);
  made.save(disk(), directory.path());
  const LanguageModel again =
      LanguageModel::load(directory.path(), {.classifier = true, .labels = {"a", "b", "c"}});  // it is one already
  EXPECT_EQ(again.config().labels, 1);
  const std::vector<std::vector<std::int32_t>> sequences = {{5, 6, 7}, {9, 8, 7, 6}};
  const Tensor scores = scores_of(made, sequences);
  EXPECT_EQ(distance(scores, scores_of(again, sequences)), 0);
  EXPECT_GT(scores.abs().max().item<double>(), 1e-3);
  EXPECT_EQ(distance(scores, scores_of(LanguageModel::load(recorded_model("families/gemma2"), options), sequences)), 0);
  EXPECT_THAT(read_file(directory / "config.json"), HasSubstr("Gemma2ForSequenceClassification"));
}

TEST(Classifier, WhatItCannotDoIsRefused) {
  EXPECT_THROW(LanguageModel::load(recorded_model("families/granite"), {.classifier = true}), FormatError);
  EXPECT_THROW(LanguageModel::load(recorded_model("families/llama-classifier")), FormatError);
  const LanguageModel classifier =
      LanguageModel::load(recorded_model("families/llama-classifier"), {.classifier = true});
  const std::vector<std::vector<std::int32_t>> sequences = {{5, 6, 7}};
  EXPECT_THROW(classifier.score(forest_of_sequences(sequences)), InternalError);
  const LanguageModel model = LanguageModel::load(recorded_model("llama"));
  EXPECT_THROW(model.label_scores(forest_of_sequences(sequences)), InternalError);
}

}  // namespace
}  // namespace attune
