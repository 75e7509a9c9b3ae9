// Models on libtorch's meta device, which has shapes and no memory: a kernel of ours, a value that the host reads or an
// index left in the CPU's memory is an error there. What passes needs nothing but operations of libtorch, and runs
// wherever libtorch does. Numbers are compared on the CPU, where the same operations stand behind ATTUNE_OPS=reference.
#include <gtest/gtest.h>

#include "attune/model/decoder.h"
#include "attune/model/language_model.h"
#include "attune/tensor/reference.h"
#include "support/meta_operations.h"
#include "support/recorded_models.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::random_ids;
using testing::recorded_model;
using testing::tiny_model;

const at::TensorOptions meta = at::TensorOptions(at::kFloat).device(at::kMeta);

LanguageModel meta_model(const ModelConfig& config) { return LanguageModel::random(config, 1, meta); }
LanguageModel meta_model(const char* config) {
  return meta_model(parse_model_config(Json::parse(config), "config.json"));
}

// A prompt with two answers, and one sequence alone; both answers end marked.
TokenForest a_forest() {
  Random random(3, "forest");
  ForestBuilder builder;
  const std::int32_t prompt = builder.add(random_ids(random, 9));
  for (const std::int32_t length : {4, 6}) {
    const std::int32_t answer = builder.add(random_ids(random, length), prompt);
    builder.read(answer, 0, length, {.response = length == 4 ? 0 : 1});
    builder.mark(answer, length - 1);
  }
  const std::int32_t alone = builder.add(random_ids(random, 8));
  builder.read(alone, 0, 8, {.response = 2});
  return builder.build();
}

class EveryFamily : public ::testing::TestWithParam<std::string> {
 protected:
  // Which tokens an expert gets is a value: shapes alone do not say.
  static bool shapes_suffice(const ModelConfig& config) { return config.experts.count == 0; }
};

TEST_P(EveryFamily, ScoresDifferentiatesAndDecodesWithoutMemory) {
  const ModelConfig config = read_model_config(recorded_model(GetParam()));
  if (!shapes_suffice(config)) GTEST_SKIP() << "experts choose by values";
  LanguageModel model = meta_model(config);
  const TokenForest forest = a_forest();
  for (const bool recompute : {false, true}) {
    model.set_compute({.recompute_blocks = recompute, .head_cache = 0, .chunk_rows = 7});
    model.trainable().require_gradients(true);
    const ForestScores scores = model.score(forest, {.hidden = true, .marked = true});
    EXPECT_EQ(scores.logps.sizes(), (at::IntArrayRef{4 + 6 + 7}));
    EXPECT_EQ(scores.marked.sizes(), (at::IntArrayRef{2, config.width}));
    (scores.logps.sum() + scores.marked.sum()).backward();
    EXPECT_TRUE(model.parameters().gradient().is_meta());
  }
  EXPECT_EQ(model.block_states(forest).size(0), config.layers);
  Random random(4, "prompts");
  const auto one = random_ids(random, 6), other = random_ids(random, 3);
  const std::vector<std::span<const std::int32_t>> prompts{one, other};
  Decoder decoder(model);
  auto [slots, logits] = decoder.prefill(prompts);
  EXPECT_EQ(logits.sizes(), (at::IntArrayRef{2, config.vocabulary}));
  slots.push_back(decoder.fork(slots[0]));
  for (int step = 0; step < 2; ++step) {
    const Tensor next = decoder.step(slots, std::vector<std::int32_t>{1, 2, 3});
    EXPECT_TRUE(next.is_meta());
    EXPECT_EQ(next.sizes(), (at::IntArrayRef{3, config.vocabulary}));
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, EveryFamily, ::testing::ValuesIn(testing::recorded_families(false)),
                         [](const auto& family) {
                           std::string name = family.param.substr(family.param.find('/') + 1);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(ModelDevice, AdaptersAndHeadsLiveWhereTheModelDoes) {
  for (const char* config : testing::tiny_configs) {
    LanguageModel model = meta_model(config);
    model.attach_adapter({.rank = 2}, 7);
    const HeadSpec reward{.name = "reward"}, mask{.name = "mask", .kind = HeadKind::layer_mask};
    const OutputHeads& heads = model.attach_heads({reward, mask}, 7);
    const ForestScores scores = model.score(a_forest(), {.marked = true});
    const Tensor values = heads.apply(reward, scores.marked), kept = heads.apply(mask, model.block_states(a_forest()));
    (scores.logps.sum() + values.sum() + kept.sum()).backward();
    EXPECT_TRUE(model.trainable().gradient().is_meta());
    const LanguageModel merged = model.merged_copy();
    EXPECT_TRUE(merged.device().is_meta());
    Decoder decoder(model);
    const std::vector<std::int32_t> prompt{1, 2, 3};
    const std::vector<std::span<const std::int32_t>> prompts{prompt};
    EXPECT_TRUE(decoder.step(decoder.prefill(prompts).slots, std::vector<std::int32_t>{4}).is_meta());
  }
}

TEST(ModelDevice, FrozenModelsAreAskedOnTheirDevice) {
  LanguageModel model = meta_model(testing::tiny_llama);
  const LanguageModel frozen = model.frozen_copy();
  const VocabularyTerm term{.name = "difference", .models = {"reference"}, .reduce = [](const VocabularyChunk& chunk) {
                              return (chunk.logits - chunk.model_logits.at("reference")).square().sum(1);
                            }};
  model.trainable().require_gradients(true);
  const ForestScores scores =
      model.score(a_forest(), {.vocabulary = {term}, .models = {{"reference", {.model = &frozen}}}});
  scores.vocabulary.at("difference").sum().backward();
  EXPECT_TRUE(scores.vocabulary.at("difference").is_meta());
}

// The operations that decode off the CPU, with the CPU's numbers.
TEST(ModelDevice, DecodingByOperationsGivesTheLogitsOfTheFullPass) {
  std::vector<LanguageModel> models;
  for (const char* config : testing::tiny_configs) models.push_back(tiny_model(config));
  models.push_back(LanguageModel::load(recorded_model("families/gemma2"), {.dtype = at::kDouble}));
  for (const LanguageModel& model : models) {
    const UseReferenceOperations use(true);
    const at::NoGradGuard no_grad;
    Random random(5, "sequence");
    const auto ids = random_ids(random, 12);
    const Tensor full = model.logits(forest_of_sequences(std::vector<std::vector<std::int32_t>>{ids}));
    Decoder decoder(model);
    const std::vector<std::span<const std::int32_t>> prompts{std::span(ids).first(4)};
    const auto slots = decoder.prefill(prompts).slots;
    for (std::size_t at = 4; at + 1 < ids.size(); ++at) {
      const Tensor logits = decoder.step(slots, std::span(ids).subspan(at, 1))[0];
      EXPECT_LT(testing::distance(logits, full[static_cast<std::int64_t>(at)]), 1e-11) << model.config().family;
    }
  }
}

}  // namespace
}  // namespace attune
