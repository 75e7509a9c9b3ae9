// A low-rank adapter (Hu et al. 2021, "LoRA") over the matrices of a model, with modules beside the blocks that are
// trained whole, and PEFT's files of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/model/family.h"
#include "attune/tensor/parameters.h"

namespace attune {

// How the factors start. Kaiming: A uniform as torch.nn.Linear's default (a = sqrt(5)). Gaussian: A normal with
// standard deviation 1 / rank. B is 0 under both. Principal: A and B from the largest singular values of each matrix,
// and their start is taken from what they do (Meng et al. 2024, "PiSSA", sections 3 and 4), so that the change is 0 as
// well.
enum class AdapterStart { kaiming, gaussian, principal };

struct AdapterOptions {
  std::int64_t rank = 16;
  double alpha = 32;
  std::vector<std::string> targets = {};  // module names or path endings; {"all-linear"}; empty: the family's default
  bool rank_stabilized = false;  // scale alpha / sqrt(rank) instead of alpha / rank (Kalajdzievski 2023, "rsLoRA")
  double dropout = 0;            // must be 0
  // Modules beside the blocks that are trained whole: score, lm_head or embed_tokens, by the rule of `targets`.
  std::vector<std::string> saved = {};
  bool magnitudes = false;  // rows' norms trained apart from their directions (Liu et al. 2024, "DoRA")
  AdapterStart start = AdapterStart::kaiming;

  double scale() const;
};

class Adapter {
 public:
  // Fresh, drawn from streams of the seed; `base`: the parameters that the family is bound to. ConfigError names what
  // is wrong with the options, and targets or saved modules that match nothing.
  Adapter(Family& family, const AdapterOptions& options, std::uint64_t seed, const Parameters& base);
  // From adapter_config.json and adapter_model.safetensors. FormatError by key for what is not supported (biases, ranks
  // per module ...) and for tensors that do not fit this model. An adapter that attune wrote for other weights is
  // refused; modules it saves whole may differ.
  Adapter(Family& family, const Path& folder, const Parameters& base);
  // The weighted sum of what adapters of plain factors change, as factors one behind the other (PEFT's `cat`).
  // ConfigError for adapters with magnitudes or saved modules, whose changes do not add.
  Adapter(Family& family, const std::vector<Adapter>& adapters, const std::vector<double>& weights,
          const Parameters& base);

  // PEFT's two files; `name` is what they call the base model. Keys of a loaded adapter_config.json that attune does
  // not know are kept. Factors with a start of their own are written as the difference: plain LoRA of twice the rank.
  void save(Fs& fs, const Path& folder, const std::string& name, const Parameters& base) const;

  // Puts the factors on the family's matrices, or takes them off.
  void bind(Family& family) const;
  static void unbind(Family& family);
  // What follows from weights that have changed: norms under magnitudes.
  static void refresh(Family& family);

  // With the adapter on: the model's own head, or the one that is saved; the saved embedding, else undefined.
  Head head(Head own) const;
  Tensor embedding() const;
  // Saved modules into the parameters, or each other's places exchanged. UsageError where a tied model has no place of
  // its own for one.
  void copy_saved(const Parameters& base) const;
  void exchange_saved(const Parameters& base);

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  const AdapterOptions& options() const { return options_; }
  bool merged() const { return merged_; }
  void set_merged(bool merged) { merged_ = merged; }

 private:
  void make_parameters(Family& family, const Parameters& base);
  void start_principal(Family& family);
  std::string hash_without_saved(const Parameters& base) const;
  Json saved_config(const std::string& name) const;

  AdapterOptions options_;
  Parameters parameters_;             // factors of each module and whole modules, under PEFT's names
  Parameters starts_;                 // of the factors, under the same names; empty where the start changes nothing
  std::vector<std::string> modules_;  // adapted, in storage order
  std::string head_, embedding_;      // paths of the modules saved whole; empty: the model's own
  std::vector<std::string> saved_;    // their tensors, as the model's parameters name them
  bool tied_ = false;                 // the model's head is its embedding
  bool transposed_ = false;           // the modules are Conv1D
  Json source_ = Json::object();
  bool merged_ = false;
};

// The modules of a family that PEFT's rule for target_modules picks: equal paths, or paths ending in ".<target>".
std::vector<std::string> match_modules(Family& family, const std::vector<std::string>& targets);

// Whether a folder holds an adapter and no model; and the folder of the model that it names. MissingInput when there is
// none, FormatError when its config is none.
bool is_adapter_folder(const Path& folder);
Path base_of_adapter(const Path& folder);

}  // namespace attune
