// Configs of the families: what changes the numbers and is not computed is refused by key, and older spellings mean
// what newer ones do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attune/base/errors.h"
#include "attune/model/model_config.h"
#include "support/recorded_models.h"

namespace attune {
namespace {

using ::testing::HasSubstr;

Json config_of(const std::string& name) {
  return Json::parse(read_file(testing::recorded_model("families/" + name) / "config.json"));
}

struct Refused {
  std::string model = {}, key = {};
  Json value = {};
};

std::vector<Refused> refused() {
  const auto list = [](std::initializer_list<Json> values) {
    Json result = Json::array();
    for (const Json& value : values) result.push_back(value);
    return result;
  };
  return {
      {"falcon", "alibi", true},
      {"falcon", "parallel_attn", false},
      {"falcon-one-key", "num_ln_in_parallel_attn", 2},
      {"falcon", "activation", "mish"},
      {"opt", "do_layer_norm_before", false},
      {"opt", "_remove_final_layer_norm", true},
      {"opt", "layer_norm_elementwise_affine", false},
      {"opt", "word_embed_proj_dim", 8},
      {"opt", "num_attention_heads", 3},
      {"gemma", "use_bidirectional_attention", true},
      {"gemma2", "use_bidirectional_attention", true},
      {"gemma2", "layer_types", list({"full_attention"})},
      {"gemma2", "layer_types", list({"full_attention", "chunked_attention"})},
      {"gemma2", "sliding_window", Json()},
      {"gemma3", "attn_logit_softcapping", 50.0},
      {"gemma3", "use_bidirectional_attention", true},
      {"gemma3", "rope_parameters", Json::object({{"rope_type", "default"}})},
      {"mixtral", "router_jitter_noise", 0.1},
      {"mixtral", "num_experts_per_tok", 9},
      {"mixtral", "num_local_experts", 0},
      {"qwen2-moe", "mlp_only_layers", list({9})},
      {"qwen2-moe", "decoder_sparse_step", 0},
      {"qwen3", "hidden_act", "mish"},
      {"qwen3", "head_dim", 7},
      {"phi", "tie_word_embeddings", true},
      {"phi3", "sliding_window", -3},
      {"granite", "logits_scaling", 0.0},
      {"smollm3", "no_rope_layers", list({1})},
      {"smollm3", "no_rope_layer_interval", 0},
      {"gpt-neox", "hidden_act", "mish"},
      {"cohere", "hidden_act", "mish"},
      {"starcoder2", "num_key_value_heads", 3},
      {"olmo2", "num_hidden_layers", std::int64_t{1'000'000'000}},
      {"llama-classifier", "num_labels", 0},
  };
}

TEST(FamilyConfigs, WhatIsNotComputedIsRefusedByKey) {
  for (const Refused& row : refused()) {
    Json config = config_of(row.model);
    if (row.key == "no_rope_layer_interval") config.set("no_rope_layers", Json());
    ASSERT_NO_THROW(parse_model_config(config, "config.json")) << row.model;
    config.set(row.key, row.value);
    try {
      parse_model_config(config, "config.json");
      ADD_FAILURE() << row.model << " took " << row.key << " = " << row.value.str();
    } catch (const FormatError& error) {
      EXPECT_THAT(error.what(), HasSubstr(row.key)) << row.model;
    }
  }
}

TEST(FamilyConfigs, RotaryScalingsThatCannotBeAreRefusedByKey) {
  const auto refusal = [](const std::string& model, const std::string& key, const Json& value) -> std::string {
    Json config = config_of(model), rope = *config.find("rope_parameters");
    rope.set(key, value);
    config.set("rope_parameters", rope);
    try {
      parse_model_config(config, "config.json");
    } catch (const FormatError& error) {
      return error.what();
    }
    return "nothing was refused";
  };
  EXPECT_THAT(refusal("rope-yarn", "factor", -1.0), HasSubstr("rope_parameters.factor"));
  EXPECT_THAT(refusal("rope-yarn", "rope_theta", 1.0), HasSubstr("rope_theta"));
  EXPECT_THAT(refusal("rope-yarn-deepseek", "beta_fast", 0.25), HasSubstr("rope_parameters.beta_fast"));
  EXPECT_THAT(refusal("rope-dynamic", "factor", Json()), HasSubstr("rope_parameters.factor"));
  EXPECT_THAT(refusal("rope-longrope", "long_factor", Json()), HasSubstr("rope_parameters.long_factor"));
  EXPECT_THAT(refusal("rope-longrope", "partial_rotary_factor", 0.5), HasSubstr("rope_parameters.short_factor"));
  EXPECT_THAT(refusal("rope-longrope", "partial_rotary_factor", 0.1), HasSubstr("head_dim"));
  EXPECT_THAT(refusal("rope-longrope", "partial_rotary_factor", 2.0), HasSubstr("partial_rotary_factor"));
  EXPECT_THAT(refusal("phi3-longrope", "rope_type", "yarn"), HasSubstr("rope_scaling.type"));
}

TEST(FamilyConfigs, OlderSpellingsMeanWhatNewerOnesDo) {
  Json neox = config_of("gpt-neox-serial");
  const RotaryConfig newer = parse_model_config(neox, "config.json").rotary;
  neox.set("rope_parameters", Json());
  neox.set("rotary_pct", 1.0);
  neox.set("rotary_emb_base", 100);
  const RotaryConfig older = parse_model_config(neox, "config.json").rotary;
  EXPECT_EQ(older.width, newer.width);
  EXPECT_EQ(rotary_frequencies(older), rotary_frequencies(newer));

  Json gemma = config_of("gemma3");
  const ModelConfig both = parse_model_config(gemma, "config.json");
  gemma.set("rope_parameters", Json());
  gemma.set("rope_theta", 1000.0);
  gemma.set("rope_local_base_freq", 50.0);
  gemma.set("rope_scaling", Json::object({{"rope_type", "linear"}, {"factor", 8.0}}));
  const ModelConfig apart = parse_model_config(gemma, "config.json");
  EXPECT_EQ(rotary_frequencies(apart.rotary), rotary_frequencies(both.rotary));
  EXPECT_EQ(rotary_frequencies(*apart.local_rotary), rotary_frequencies(*both.local_rotary));

  Json phi3 = config_of("phi3-longrope"), rope = *phi3.find("rope_parameters");
  const RotaryConfig longrope = parse_model_config(phi3, "config.json").rotary;
  phi3.set("rope_parameters", Json());
  phi3.set("partial_rotary_factor", 0.5);
  phi3.set("rope_scaling", Json::object({{"type", "su"},
                                         {"short_factor", *rope.find("short_factor")},
                                         {"long_factor", *rope.find("long_factor")}}));
  const RotaryConfig su = parse_model_config(phi3, "config.json").rotary;
  for (const std::int64_t length : {8, 100}) {
    EXPECT_EQ(rotary_frequencies(su, length), rotary_frequencies(longrope, length));
  }
  EXPECT_DOUBLE_EQ(su.magnitude, longrope.magnitude);

  Json gemma2 = config_of("gemma2");
  const std::vector<std::int64_t> windows = parse_model_config(gemma2, "config.json").windows;
  gemma2.set("layer_types", Json());
  EXPECT_EQ(parse_model_config(gemma2, "config.json").windows, windows);
  EXPECT_EQ(windows.front(), 6);
  EXPECT_EQ(windows.back(), 0);
}

TEST(FamilyConfigs, NullTurnsASoftCapOffAndAnAbsentKeyIsTheDefault) {
  Json config = config_of("gemma2");
  config.set("final_logit_softcapping", Json());
  EXPECT_EQ(parse_model_config(config, "config.json").logit_soft_cap, 0);
  Json without = Json::object();
  for (const auto& [key, value] : config.members()) {
    if (key != "final_logit_softcapping") without.set(key, value);
  }
  EXPECT_EQ(parse_model_config(without, "config.json").logit_soft_cap, 30);
}

}  // namespace
}  // namespace attune
