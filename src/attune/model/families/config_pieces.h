// Reading what most configs say alike. What would change the numbers and is not computed is refused by key.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "attune/model/config_reader.h"
#include "attune/model/model_config.h"

namespace attune::families {

// Sizes, initializer_range and the pad token, under the names that most families use; key-value heads default to the
// heads, head_dim to the width over the heads. `epsilon_key` and its default: of the norms.
struct SizeDefaults {
  std::string_view epsilon_key = "rms_norm_eps";
  double epsilon = 1e-6;
  std::int64_t max_positions = 2048;
  bool tied = false;
  double deviation = 0.02;
};
ModelConfig read_sizes(const ConfigReader& reader, const SizeDefaults& defaults = {});

// head_width from the width and the heads; refuses what does not divide.
void set_head_width(ModelConfig& config, const ConfigReader& reader, std::string_view heads_key);
void check_layers(const ModelConfig& config, const ConfigReader& reader, std::string_view key);

struct RotaryDefaults {
  double theta = 10000;
  double part = 1;  // of a head that turns
  std::string_view theta_key = "rope_theta", part_key = "partial_rotary_factor";
};
// rope_parameters of newer configs, or rope_theta beside an optional rope_scaling of older ones. Needs head_width and
// max_positions.
RotaryConfig read_rotary(const ConfigReader& reader, const ModelConfig& config, const RotaryDefaults& defaults = {});
// The same from one object of values, whose keys lie beside `outer`'s.
RotaryConfig read_rotary_values(const ConfigReader& values, const ConfigReader& outer, const ModelConfig& config,
                                const RotaryDefaults& defaults);

Activation read_activation(const ConfigReader& reader, std::string_view key, const std::string& otherwise);

// sliding_window: null is no window (0), an absent key the default.
std::int64_t read_window(const ConfigReader& reader, std::int64_t otherwise);
// The window where layer_types says sliding_attention, or where `slides` does when there is no such key.
void set_windows(ModelConfig& config, const ConfigReader& reader, std::int64_t window,
                 const std::function<bool(std::int64_t layer)>& slides);

}  // namespace attune::families
