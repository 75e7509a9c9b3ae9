// transformers' and PEFT's numbers, recorded by tests/parity/record_models.py and record_peft.py.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "attune/base/files.h"
#include "attune/tensor/safetensors.h"
#include "support/recorded_models.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::distance;
using testing::expected_of;
using testing::ids_of;
using testing::numbers_of;
using testing::recorded_model;

constexpr double tolerance = 1e-4;  // absolute, float32

// All recorded language models.
std::vector<std::string> models() {
  std::vector<std::string> names(std::begin(testing::first_recorded), std::end(testing::first_recorded));
  for (const std::string& name : testing::recorded_families(false)) names.push_back(name);
  return names;
}

const char* const adapters[] = {"llama-lora",  "llama-lora-all", "llama-dora", "llama-saved",
                                "llama-pissa", "gpt2-lora",      "gpt2-dora"};

// Every recorded sequence, and the same ones as one prompt of half the first tokens with two equal completions.
void expect_recorded_logps(const LanguageModel& model, const Json& record, const std::string& name) {
  for (const Json& row : record.find("sequences")->items()) {
    const auto ids = ids_of(*row.find("ids"));
    const Tensor logps = numbers_of(*row.find("logps"));
    const std::vector<std::vector<std::int32_t>> alone = {ids};
    EXPECT_LT(distance(model.score(forest_of_sequences(alone)).logps, logps), tolerance) << name;
    const std::span<const std::int32_t> all(ids);
    const std::size_t half = ids.size() / 2;
    ForestBuilder builder;
    const std::int32_t root = builder.add(all.first(half));
    const auto length = static_cast<std::int64_t>(ids.size() - half);
    for (int answer = 0; answer < 2; ++answer) {
      builder.read(builder.add(all.subspan(half), root), 0, length, {.response = answer});
    }
    const Tensor shared = model.score(builder.build()).logps;
    const Tensor wanted = logps.slice(0, static_cast<std::int64_t>(half) - 1);
    EXPECT_LT(distance(shared.slice(0, 0, length), wanted), tolerance) << name << ", shared";
    EXPECT_LT(distance(shared.slice(0, length), wanted), tolerance) << name << ", shared";
  }
}

TEST(Parity, LogProbabilitiesEqualTransformers) {
  for (const std::string& name : models())
    expect_recorded_logps(LanguageModel::load(recorded_model(name)), expected_of(name), name);
}

TEST(Parity, LogitsEqualTransformers) {
  for (const std::string& name : models()) {
    const LanguageModel model = LanguageModel::load(recorded_model(name));
    const Json record = expected_of(name);
    for (const Json& row : record.find("sequences")->items()) {
      const auto ids = ids_of(*row.find("ids"));
      ForestBuilder builder;
      builder.add(ids);
      const Tensor logits = model.family().head().logits(model.hidden(builder.build()))[-1];
      EXPECT_LT(distance(logits, numbers_of(*row.find("last_logits"))), tolerance) << name;
    }
  }
}

TEST(Parity, AModelSavedAgainIsByteIdentical) {
  for (const std::string& name : models()) {
    const testing::TemporaryDirectory directory;
    LanguageModel::load(recorded_model(name)).save(disk(), directory / "model");
    for (const char* file : {"model.safetensors", "generation_config.json"}) {
      EXPECT_TRUE(read_file(directory / "model" / file) == read_file(recorded_model(name) / file))
          << name << " " << file;
    }
    EXPECT_EQ(Json::parse(read_file(directory / "model" / "config.json")),
              Json::parse(read_file(recorded_model(name) / "config.json")))
        << name;
  }
}

TEST(Parity, AdaptersOfPeftGiveItsLogProbabilitiesMergedAndUnmerged) {
  for (const std::string name : adapters) {
    const Json record = expected_of(name);
    LanguageModel model = LanguageModel::load(recorded_model(record.find("base")->string()));
    const Json plain = expected_of(record.find("base")->string());
    model.load_adapter(recorded_model(name));
    expect_recorded_logps(model, record, name);
    const auto ids = ids_of(*record.find("sequences")->items()[1].find("ids"));
    const std::vector<std::vector<std::int32_t>> sequences = {ids};
    const Tensor off = model.score(without_adapter(forest_of_sequences(sequences))).logps;
    EXPECT_LT(distance(off, numbers_of(*plain.find("sequences")->items()[1].find("logps"))), tolerance) << name;
    EXPECT_GT(distance(off, model.score(forest_of_sequences(sequences)).logps), 0.1) << name;
    model.merge_adapter();
    expect_recorded_logps(model, record, name + ", merged");
    model.unmerge_adapter();
    expect_recorded_logps(model, record, name + ", unmerged again");
  }
}

TEST(Parity, AnAdapterOfPeftSavedAgainHoldsTheSameTensorsAndKeys) {
  for (const std::string name : adapters) {
    if (name == "llama-pissa") continue;  // becomes plain factors of twice the rank
    const testing::TemporaryDirectory directory;
    LanguageModel model = LanguageModel::load(recorded_model(expected_of(name).find("base")->string()));
    model.load_adapter(recorded_model(name));
    model.save_adapter(disk(), directory.path(), "base");
    const SafetensorsFile ours(directory / "adapter_model.safetensors");
    const SafetensorsFile theirs(recorded_model(name) / "adapter_model.safetensors");
    ASSERT_EQ(ours.tensors().size(), theirs.tensors().size()) << name;
    for (const StoredTensor& tensor : theirs.tensors()) {
      ASSERT_NE(ours.find(tensor.name), nullptr) << tensor.name;
      EXPECT_TRUE(ours.view(*ours.find(tensor.name)).equal(theirs.view(tensor))) << tensor.name;
    }
    const Json before = Json::parse(read_file(recorded_model(name) / "adapter_config.json"));
    const Json after = Json::parse(read_file(directory / "adapter_config.json"));
    for (const auto& [key, value] : before.members()) {
      if (key == "base_model_name_or_path") continue;
      ASSERT_NE(after.find(key), nullptr) << key;
      const bool same = value.is_number() ? value.number() == after.find(key)->number() : value == *after.find(key);
      EXPECT_TRUE(same) << key;
    }
  }
}

TEST(Parity, APissaAdapterSavedAgainIsPlainLora) {
  const testing::TemporaryDirectory directory;
  const Json record = expected_of("llama-pissa");
  LanguageModel model = LanguageModel::load(recorded_model("llama"));
  model.load_adapter(recorded_model("llama-pissa"));
  model.save_adapter(disk(), directory.path(), "base");
  const Json config = Json::parse(read_file(directory / "adapter_config.json"));
  EXPECT_EQ(config.find("r")->integer(), 8);
  EXPECT_EQ(config.find("lora_alpha")->number(), 16);
  EXPECT_TRUE(config.find("init_lora_weights")->boolean());
  LanguageModel again = LanguageModel::load(recorded_model("llama"));
  again.load_adapter(directory.path());
  EXPECT_EQ(again.adapter()->options().start, AdapterStart::kaiming);
  expect_recorded_logps(again, record, "converted");
}

TEST(Parity, ARewardModelsAdapterOfPeftGivesItsScores) {
  const Json record = expected_of("llama-reward");
  LanguageModel model = LanguageModel::load(recorded_model("llama"), {.classifier = true, .labels = {"a", "b"}});
  model.load_adapter(recorded_model("llama-reward"));
  const auto expect_scores = [&](const std::string& how) {
    for (const Json& row : record.find("sequences")->items()) {
      const auto ids = ids_of(*row.find("ids"));
      ForestBuilder builder;
      builder.mark(builder.add(ids), std::ssize(ids) - 1);
      EXPECT_LT(distance(model.label_scores(builder.build()).scores[0], numbers_of(*row.find("scores"))), tolerance)
          << how;
    }
  };
  expect_scores("bound");
  model.merge_adapter();
  expect_scores("merged");
}

// Not a test by itself: writes what tests/parity/check_peft.py then loads with PEFT and compares.
TEST(Parity, AdaptersWrittenHereGoToPeft) {
  const char* out = std::getenv("ATTUNE_PARITY_OUT");
  if (out == nullptr) GTEST_SKIP() << "tests/parity/check_peft.py runs this one";
  const std::map<std::string, AdapterOptions> kinds = {
      {"plain", {}},
      {"dora", {.magnitudes = true}},
      {"saved", {.saved = {"lm_head"}}},
      {"pissa", {.rank_stabilized = true, .start = AdapterStart::principal}}};
  for (const auto& [base, kind] : {std::pair<std::string, std::string>{"llama", "plain"},
                                   {"qwen2", "plain"},
                                   {"gpt2", "plain"},
                                   {"llama", "dora"},
                                   {"gpt2", "dora"},
                                   {"llama", "saved"},
                                   {"llama", "pissa"}}) {
    LanguageModel model = LanguageModel::load(recorded_model(base));
    AdapterOptions options = kinds.at(kind);
    options.rank = 4;
    options.alpha = 10;
    options.targets = {"all-linear"};
    model.attach_adapter(options, 3);
    Random random(6, "factors " + base);
    const Tensor flat = model.adapter()->parameters().flat();
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      flat.mutable_data_ptr<float>()[i] += static_cast<float>(0.3 * random.normal());
    }
    const std::string name = base + "-" + kind;
    model.save_adapter(disk(), Path(out) / name, recorded_model(base).string());
    Json rows = Json::array();
    const Json record = expected_of(base);
    for (const Json& row : record.find("sequences")->items()) {
      const std::vector<std::vector<std::int32_t>> alone = {ids_of(*row.find("ids"))};
      const Tensor logps = model.score(forest_of_sequences(alone)).logps;
      Json values = Json::array();
      for (std::int64_t i = 0; i < logps.size(0); ++i) values.push_back(logps[i].item<double>());
      rows.push_back(Json::object({{"ids", *row.find("ids")}, {"logps", std::move(values)}}));
    }
    write_durably(disk(), Path(out) / name / "logps.json", rows.str());
  }
}

}  // namespace
}  // namespace attune
