// Training steps away from the CPU. Every objective on libtorch's meta device, which has shapes and no memory; and,
// where there is a GPU, the same steps there with the CPU's numbers.
#include <ATen/ops/allclose.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <set>

#include "attune/base/errors.h"
#include "attune/model/decoder.h"
#include "attune/policy/language.h"
#include "attune/tensor/device.h"
#include "attune/tensor/products.h"
#include "attune/tensor/reference.h"
#include "attune/train/micro_batches.h"
#include "attune/train/stage.h"
#include "attune/train/step.h"
#include "support/meta_operations.h"
#include "support/objective_of.h"
#include "support/recorded_models.h"
#include "support/scored_records.h"
#include "support/temporary.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::labelled_token_records;

// A policy with everything that objectives ask for, and steps over the labelled records.
class Training {
 public:
  Training(ObjectiveList objectives, LanguageModel model)
      : objectives_(std::move(objectives)),
        needs_(needs_of(objectives_)),
        records_(records_for(needs_)),
        probes_(needs_.probes ? probe_prompts(records_, 4) : std::vector<std::int64_t>{}),
        model_(std::move(model)),
        policy_(model_, records_) {
    if (!needs_.heads.empty()) model_.attach_heads(needs_.heads, 3);
    std::uint64_t seed = 20;
    for (const std::string& role : needs_.frozen_models()) {
      LanguageModel frozen = model_.frozen_copy();
      if (!model_.device().is_meta()) frozen.parameters().initialize(++seed);
      policy_.freeze(role, std::make_shared<const LanguageModel>(std::move(frozen)));
    }
    trained_ = {&model_.trainable()};
    if (model_.heads() != nullptr) trained_.push_back(&model_.heads()->parameters());
  }

  // The gradients of one optimiser step in micro-batches of one or two records are then in the parameters.
  Tensor differentiate() {
    const StepPlan plan =
        plan_step({{0, 2}, {1}, {3}}, objectives_, {.records = records_, .probe_prompts = probes_, .frozen = {}});
    const auto statistics = gather_statistics(plan, objectives_, needs_, policy_, {});
    Tensor sum;
    for (const Batch& batch : plan.batches) {
      const Loss loss = compute(objectives_, policy_.score(batch, needs_), statistics, {});
      const Tensor part = total(loss, plan.counts);
      EXPECT_EQ(part.device(), model_.device());
      if (part.requires_grad()) part.backward();
      sum = sum.defined() ? sum + part.detach() : part.detach();
    }
    return sum;
  }

  const std::vector<Parameters*>& trained() const { return trained_; }
  LanguageModel& model() { return model_; }

 private:
  static std::vector<TokenRecord> records_for(const Needs& needs) {
    std::vector<TokenRecord> records = labelled_token_records();
    testing::fill_labels(needs.labels, records);
    return records;
  }

  ObjectiveList objectives_;
  Needs needs_;
  std::vector<TokenRecord> records_;
  std::vector<std::int64_t> probes_;
  LanguageModel model_;
  LanguagePolicy policy_;
  std::vector<Parameters*> trained_;
};

LanguageModel tiny(const at::TensorOptions& options, const Needs& needs = {}) {
  ModelConfig config = parse_model_config(Json::parse(testing::tiny_llama), "config.json");
  if (needs.reward) config = classifier_config(std::move(config), needs.reward->outputs, "config.json");
  return LanguageModel::random(config, 1, options);
}

class EveryObjective : public ::testing::TestWithParam<std::string> {
 protected:
  // These sort, rank or draw by what the host knows of a batch, and read it back from the device: no values, no order.
  bool reads_values() const {
    static const std::set<std::string> names = {"cringe",
                                                "d2o",
                                                "ld-dpo",
                                                "lipo",
                                                "mapl",
                                                "pairwise-cringe",
                                                "plackett-luce",
                                                "pro-ranking",
                                                "steerlm2",
                                                "reward/crm",
                                                "reward/multi-source"};
    return names.contains(GetParam());
  }
};

TEST_P(EveryObjective, TrainsWithoutMemory) {
  const auto options = at::TensorOptions(at::kFloat).device(at::kMeta);
  const ObjectiveList objectives = testing::objective_of(GetParam());
  Training training(objectives, tiny(options, needs_of(objectives)));
  std::vector<AdamW> optimizers;
  for (Parameters* one : training.trained()) {
    one->require_gradients(true);
    optimizers.emplace_back(one->flat(), AdamWOptions{.weight_decay = 0.1}, one->matrix_ranges());
  }
  if (reads_values()) {
    EXPECT_ANY_THROW(training.differentiate());
    return;
  }
  EXPECT_TRUE(training.differentiate().is_meta());
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    optimizers[i].begin(0.1);
    optimizers[i].update(0, training.trained()[i]->gradient(), 0.5);
  }
}

std::vector<std::string> objective_names() {
  std::vector<std::string> names;
  for (const auto& row : part_rows<Objective>()) names.emplace_back(row.path);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Device, EveryObjective, ::testing::ValuesIn(objective_names()), [](const auto& name) {
  std::string result = name.param;
  for (char& c : result) c = c == '-' || c == '/' ? '_' : c;
  return result;
});

RunSettings settings_on(const std::string& device, Dtype dtype = Dtype::float32) {
  RunSettings settings;
  settings.model.device = device;
  settings.model.dtype = dtype;
  return settings;
}

TEST(Device, WhatADeviceDoesNotServeIsRefused) {
  EXPECT_EQ(device_of(settings_on("cpu")), at::Device(at::kCPU));
  EXPECT_THROW(device_of(settings_on("cpu", Dtype::bfloat16)), ConfigError);
  EXPECT_THROW(device_of(settings_on("cuda:99")), DeviceError);
  const std::string run = "model: {path: m, device: gpu}\ndata: {train: x}\nobjective: dpo\n";
  EXPECT_THROW(parse_run(run, "run.yaml", {}, ""), ConfigError);
  EXPECT_EQ(parse_run(run, "run.yaml", {"model.device=cuda:3"}, "").stages.front().settings.model.device, "cuda:3");
}

// Products in bfloat16, on the CPU where tests may: the gradient keeps its direction and size.
TEST(Device, StepsInBfloat16AreCloseToThoseInFloat32) {
  const auto gradient = [](bool rounded) {
    const UseBfloat16Products use(rounded);
    Training training(testing::objective_of("dpo"), tiny(at::kFloat));
    training.model().trainable().require_gradients(true);
    training.differentiate();
    return training.model().trainable().gradient().to(at::kDouble);
  };
  const Tensor exact = gradient(false), rounded = gradient(true);
  const double relative = (exact - rounded).norm().item<double>() / exact.norm().item<double>();
  EXPECT_GT(relative, 1e-5);  // it was rounded
  EXPECT_LT(relative, 0.05);
}

// What runs where `make test` finds a GPU. ATTUNE_TEST_DEVICE=cpu runs these on the CPU by libtorch's operations
// alone: a check of the tests themselves.
class Gpu : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* name = std::getenv("ATTUNE_TEST_DEVICE");
    if (name == nullptr && gpus().empty()) GTEST_SKIP() << "no GPU";
    device_ = find_device(name != nullptr ? name : "cuda");
    if (device_.is_cpu()) operations_.emplace(true);
  }
  // The same weights here and there.
  template <class Body>
  auto on_cpu(const Body& body) {
    const UseReferenceOperations kernels(false);
    return body(at::Device(at::kCPU));
  }
  template <class Body>
  auto on_device(const Body& body) {
    const UseReferenceOperations operations(device_.is_cpu());
    return body(device_);
  }

  at::Device device_ = at::kCPU;

 private:
  std::optional<UseReferenceOperations> operations_;
};

at::TensorOptions doubles_on(at::Device device) { return at::TensorOptions(at::kDouble).device(device); }

TEST_F(Gpu, ModelsOfEveryFamilyScoreAndDifferentiateAsOnTheCpu) {
  for (const std::string& name : testing::recorded_families(false)) {
    const auto results = [&](at::Device device) {
      LanguageModel model =
          LanguageModel::random(read_model_config(testing::recorded_model(name)), 1, doubles_on(device));
      model.trainable().require_gradients(true);
      Random random(3, "forest");
      ForestBuilder builder;
      const std::int32_t prompt = builder.add(testing::random_ids(random, 9));
      for (const std::int32_t length : {4, 6}) {
        builder.read(builder.add(testing::random_ids(random, length), prompt), 0, length, {.response = length});
      }
      const Tensor logps = model.score(builder.build()).logps;
      EXPECT_EQ(logps.device(), device);
      logps.sum().backward();
      return std::vector<Tensor>{logps.detach().cpu(), model.trainable().gradient().cpu()};
    };
    const auto here = on_cpu(results), there = on_device(results);
    for (std::size_t i = 0; i < here.size(); ++i) EXPECT_TRUE(at::allclose(here[i], there[i], 1e-7, 1e-9)) << name << i;
  }
}

TEST_F(Gpu, EveryObjectiveHasTheLossAndTheGradientOfTheCpu) {
  for (const std::string& name : objective_names()) {
    const auto results = [&](at::Device device) {
      Training training(testing::objective_of(name), tiny(doubles_on(device)));
      for (Parameters* one : training.trained()) one->require_gradients(true);
      std::vector<Tensor> tensors{training.differentiate().cpu()};
      for (const Parameters* one : training.trained()) tensors.push_back(one->gradient().cpu());
      return tensors;
    };
    const auto here = on_cpu(results), there = on_device(results);
    for (std::size_t i = 0; i < here.size(); ++i) EXPECT_TRUE(at::allclose(here[i], there[i], 1e-7, 1e-9)) << name << i;
  }
}

TEST_F(Gpu, StepsOfTheOptimizerEndInTheSameWeights) {
  for (const bool in_backward : {false, true}) {
    const auto results = [&](at::Device device) {
      LanguageModel model = tiny(at::TensorOptions(at::kFloat).device(device));
      const std::vector<TokenRecord> records = labelled_token_records();
      LanguagePolicy policy(model, records);
      OptimizerSettings settings{.max_grad_norm = in_backward ? 0.0 : 0.5, .in_backward = in_backward};
      settings.adamw.weight_decay = 0.1;
      Step step({&model.trainable()}, settings);
      const ObjectiveList sft = testing::objective_of("sft");
      for (int i = 0; i < 3; ++i) {
        const StepPlan plan = plan_step({{0, 1, 2, 3}}, sft, {.records = records, .probe_prompts = {}, .frozen = {}});
        step.begin(1e-3);
        step.accumulate(total(
            compute(sft, policy.score(plan.batches[0], needs_of(sft)), std::vector<Statistics>(1), {}), plan.counts));
        EXPECT_TRUE(step.apply().applied);
      }
      synchronise(device);
      return model.trainable().flat().cpu();
    };
    EXPECT_TRUE(at::allclose(on_cpu(results), on_device(results), 1e-4, 1e-5)) << in_backward;
  }
}

TEST_F(Gpu, DecodingGivesTheLogitsOfTheCpu) {
  for (const char* config : testing::tiny_configs) {
    const auto results = [&](at::Device device) {
      const LanguageModel model =
          LanguageModel::random(parse_model_config(Json::parse(config), "config.json"), 1, doubles_on(device));
      Decoder decoder(model);
      const std::vector<std::int32_t> one{1, 2, 3, 4, 5, 6, 7}, other{8, 9};
      const std::vector<std::span<const std::int32_t>> prompts{one, other};
      auto slots = decoder.prefill(prompts).slots;
      slots.push_back(decoder.fork(slots[0]));
      decoder.step(slots, std::vector<std::int32_t>{10, 11, 12});
      return decoder.step(slots, std::vector<std::int32_t>{13, 14, 15}).cpu();
    };
    EXPECT_TRUE(at::allclose(on_cpu(results), on_device(results), 1e-8, 1e-9)) << config;
  }
}

TEST_F(Gpu, FilesAndHashesDoNotDependOnTheDevice) {
  const testing::TemporaryDirectory directory;
  const auto saved = [&](at::Device device) {
    LanguageModel model = tiny(at::TensorOptions(at::kFloat).device(device));
    const Path folder = directory / (device == device_ ? "there" : "here");
    model.save(disk(), folder);
    return model.content_hash();
  };
  EXPECT_EQ(on_cpu(saved), on_device(saved));
  const Path folder = directory / "there";
  EXPECT_EQ(read_file(folder / "model.safetensors"),
            read_file((device_.is_cpu() ? folder : directory / "here") / "model.safetensors"));
  const LanguageModel again = LanguageModel::load(folder, {.device = device_});
  EXPECT_EQ(again.device(), device_);
  EXPECT_EQ(again.content_hash(), on_cpu(saved));
}

TEST_F(Gpu, MemoryIsCounted) {
  if (device_.is_cpu()) GTEST_SKIP() << "no GPU";
  reset_tensor_peak(device_);
  const double before = tensor_memory(device_).current;
  { const Tensor megabyte = moved(at::zeros({1 << 18}), device_); }
  EXPECT_GE(tensor_memory(device_).peak, before + (1 << 20));
  EXPECT_GT(available_memory(device_), 0);
}

}  // namespace
}  // namespace attune
