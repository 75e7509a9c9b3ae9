#include "attune/train/step.h"

#include <gtest/gtest.h>

#include "support/tiny_models.h"

namespace attune {
namespace {

// The first step of Adam moves every number by the learning rate, whatever its gradient is.
TEST(Step, UnderARateRatioBAndVectorsLearnFasterAsPeftGroupsThem) {
  LanguageModel model = testing::tiny_model(testing::tiny_llama);
  Parameters& trained =
      model.attach_adapter({.rank = 2, .targets = {"q_proj"}, .saved = {"lm_head"}, .magnitudes = true}, 1)
          .parameters();
  const Tensor before = trained.flat().clone();
  Step step({&trained}, {.adamw = {.lr = 1, .epsilon = 1e-30}, .max_grad_norm = 0});
  step.set_rate_ratio(trained, 16);
  trained.gradient().fill_(0.25);
  step.begin(0.01);
  step.apply();
  const Tensor moved = before - trained.flat();
  for (std::size_t i = 0; i < trained.size(); ++i) {
    const std::string& name = trained.spec(i).parts.front().name;
    const bool faster = name.ends_with("lora_B.weight") || name.ends_with("lora_magnitude_vector");
    const Tensor own = moved.narrow(0, trained.leaf(i).storage_offset(), trained.leaf(i).numel());
    EXPECT_NEAR(own.min().item<double>(), faster ? 0.16 : 0.01, 1e-9) << name;
    EXPECT_NEAR(own.max().item<double>(), faster ? 0.16 : 0.01, 1e-9) << name;
  }
}

}  // namespace
}  // namespace attune
