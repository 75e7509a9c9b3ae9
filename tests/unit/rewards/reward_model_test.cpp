// Reward models as scorers.
#include "attune/rewards/reward_model.h"

#include <gtest/gtest.h>

#include "attune/base/errors.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::random_ids;
using testing::TemporaryDirectory;
using testing::tiny_model;

// A folder of a classifier with these labels, its weights drawn wide, and this head.
void write_model(const Path& folder, const std::vector<std::string>& labels, const char* head,
                 std::int64_t pad_token = -1) {
  ModelConfig config = parse_model_config(Json::parse(testing::tiny_llama), "config.json");
  config.source.set("pad_token_id", pad_token < 0 ? Json() : Json(pad_token));
  LanguageModel model = LanguageModel::random(classifier_config(config, labels, "config.json"), 3, at::kDouble);
  if (head != nullptr) model.set_config_entry(head_key, Json::parse(head));
  model.save(disk(), folder, {.dtype = at::kDouble});
}

TokenRecord record_of(Random& random, std::int64_t prompt, const std::vector<std::int64_t>& answers) {
  TokenRecord record;
  record.prompt = random_ids(random, prompt);
  for (const std::int64_t tokens : answers) {
    record.completions.push_back(
        {.ids = random_ids(random, tokens), .scored = std::vector<std::uint8_t>(static_cast<std::size_t>(tokens), 1)});
    record.scored_tokens.push_back(tokens);
    record.sequence_tokens.push_back(prompt + tokens);
  }
  return record;
}

// What the classifier says at token `place` of a sequence that stands alone.
double alone(const RewardModel& model, std::vector<std::int32_t> ids, std::int64_t place) {
  ForestBuilder builder;
  builder.mark(builder.add(ids), place);
  return model.model().label_scores(builder.build()).scores[0][0].item<double>();
}

std::vector<std::int32_t> joined(const TokenRecord& record, std::size_t completion) {
  std::vector<std::int32_t> ids = record.prompt;
  const auto& answer = record.completions[completion].ids;
  ids.insert(ids.end(), answer.begin(), answer.end());
  return ids;
}

TEST(RewardModel, ScoresEveryAnswerAsIfItStoodAlone) {
  const TemporaryDirectory directory;
  write_model(directory.path(), {"reward"}, nullptr);
  RewardModel model = RewardModel::load(directory.path(), {.dtype = at::kDouble});
  Random random(1, "records");
  const std::vector<TokenRecord> records{record_of(random, 7, {3, 5, 1}), record_of(random, 2, {4}),
                                         record_of(random, 0, {6, 2})};
  for (const std::int64_t tokens : {1, 12, 1000}) {  // a record a pass, some, all
    const auto scores = model.score(records, tokens);
    for (std::size_t r = 0; r < records.size(); ++r) {
      ASSERT_EQ(scores[r].size(), records[r].completions.size());
      for (std::size_t c = 0; c < scores[r].size(); ++c) {
        const auto ids = joined(records[r], c);
        EXPECT_NEAR(scores[r][c].score, alone(model, ids, std::ssize(ids) - 1), 1e-10);
        EXPECT_FALSE(scores[r][c].spread);
      }
    }
  }
}

TEST(RewardModel, ReadsTheLastTokenThatIsNotPadding) {
  const TemporaryDirectory directory;
  write_model(directory.path(), {"reward"}, nullptr, 60);
  RewardModel model = RewardModel::load(directory.path(), {.dtype = at::kDouble});
  Random random(2, "records");
  TokenRecord record = record_of(random, 4, {3, 2});
  for (auto& id : record.prompt) id %= 60;
  record.completions[0].ids = {5, 60, 60};
  record.completions[1].ids = {60, 60};  // nothing else: the prompt's end
  const auto scores = model.score(std::vector{record}, 100);
  EXPECT_NEAR(scores[0][0].score, alone(model, joined(record, 0), 4), 1e-10);
  EXPECT_NEAR(scores[0][1].score, alone(model, joined(record, 1), 3), 1e-10);
}

TEST(RewardModel, AHeadThatOnlyComparesScoresAgainstTheOtherAnswers) {
  const TemporaryDirectory directory;
  write_model(directory.path(), {"x0", "y0"}, R"({"gpm": {"temperature": 1}})");
  RewardModel model = RewardModel::load(directory.path(), {.dtype = at::kDouble});
  Random random(3, "records");
  const auto scores = model.score(std::vector{record_of(random, 3, {2, 4, 3}), record_of(random, 3, {2})}, 100);
  const auto beats = [&](std::size_t a, std::size_t b) {
    const auto &x = scores[0][a].outputs, &y = scores[0][b].outputs;
    return x[0] * y[1] - x[1] * y[0];
  };
  EXPECT_NEAR(scores[0][0].score, (beats(0, 1) + beats(0, 2)) / 2, 1e-10);
  EXPECT_NEAR(scores[0][0].score + scores[0][1].score + scores[0][2].score, 0, 1e-10);
  EXPECT_EQ(scores[1][0].score, 0);
}

TEST(RewardModel, ThatIsALanguageModelOrHasAnotherHeadIsRefused) {
  const TemporaryDirectory directory;
  tiny_model(testing::tiny_llama).save(disk(), directory / "model");
  EXPECT_THROW(RewardModel::load(directory / "model"), FormatError);
  write_model(directory / "two", {"a", "b"}, R"({"scalar": {}})");
  EXPECT_THROW(RewardModel::load(directory / "two"), FormatError);
}

}  // namespace
}  // namespace attune
