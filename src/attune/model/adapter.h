// A low-rank adapter (Hu et al. 2021, "LoRA") over the matrices of a model, and PEFT's files of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/model/family.h"
#include "attune/tensor/parameters.h"

namespace attune {

struct AdapterOptions {
  std::int64_t rank = 16;
  double alpha = 32;
  std::vector<std::string> targets = {};  // module names or path endings; {"all-linear"}; empty: the family's default
  bool rank_stabilized = false;  // scale alpha / sqrt(rank) instead of alpha / rank (Kalajdzievski 2023, "rsLoRA")
  double dropout = 0;            // must be 0

  double scale() const;
};

class Adapter {
 public:
  // Fresh: A uniform as torch.nn.Linear's default (Kaiming, a = sqrt(5)), drawn from streams of the seed, B zero.
  // ConfigError names what is wrong with the options, and targets that match no module.
  Adapter(Family& family, const AdapterOptions& options, std::uint64_t seed, const at::TensorOptions& tensors);
  // From adapter_config.json and adapter_model.safetensors. FormatError by key for what is not supported (DoRA, biases,
  // saved modules, ranks per module ...) and for tensors that do not fit this model. `base_hash`:
  // Parameters::content_hash of the model; an adapter that attune wrote for other weights is refused.
  Adapter(Family& family, const Path& folder, const std::string& base_hash, const at::TensorOptions& tensors);

  // PEFT's two files. Keys of a loaded adapter_config.json that attune does not know are kept.
  void save(Fs& fs, const Path& folder, const std::string& base, const std::string& base_hash) const;

  // Puts the factors on the family's matrices, or takes them off.
  void bind(Family& family) const;
  static void unbind(Family& family);

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  const AdapterOptions& options() const { return options_; }
  bool merged() const { return merged_; }
  void set_merged(bool merged) { merged_ = merged; }

 private:
  AdapterOptions options_;
  Parameters parameters_;             // lora_A and lora_B of each module, under PEFT's names
  std::vector<std::string> modules_;  // adapted, in storage order
  bool transposed_ = false;           // the modules are Conv1D
  Json source_ = Json::object();
  bool merged_ = false;
};

// The modules of a family that PEFT's rule for target_modules picks: equal paths, or paths ending in ".<target>".
std::vector<std::string> match_modules(Family& family, const std::vector<std::string>& targets);

}  // namespace attune
