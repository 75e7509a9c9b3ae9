// A transformer with its weights: loaded from or made for Hugging Face folders, scoring token forests.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/model/adapter.h"
#include "attune/model/family.h"
#include "attune/model/model_config.h"
#include "attune/model/output_heads.h"
#include "attune/model/token_forest.h"
#include "attune/model/trunk.h"
#include "attune/model/vocabulary.h"
#include "attune/tensor/parameters.h"

namespace attune {

struct LoadOptions {
  at::ScalarType dtype = at::kFloat;  // of the computation: float or double; files may hold any
  at::Device device = at::kCPU;       // where the weights are kept and passes are made
  bool allow_nonfinite = false;       // accept NaN and infinite weights
  // A sequence classifier is wanted. A folder that holds a language model gives one of these labels: its head is
  // dropped and a score head drawn from the seed, as transformers' AutoModelForSequenceClassification does. Otherwise a
  // language model is wanted, and a classifier refused.
  bool classifier = false;
  std::vector<std::string> labels = {"LABEL_0"};  // names
  std::uint64_t seed = 0;
};

struct SaveOptions {
  at::ScalarType dtype = at::kFloat;  // of the file: float, bfloat16, half or double
  std::uint64_t shard_bytes = 5'000'000'000;
};

// What a pass trades; results are the same up to rounding.
struct ComputeOptions {
  bool recompute_blocks = false;                      // about a third more time, activations of one block only
  std::uint64_t head_cache = std::uint64_t{1} << 30;  // bytes of logits kept from forward to backward
  std::int64_t chunk_rows = 256;                      // rows of the head at once
};

class LanguageModel;

struct FrozenModel {
  const LanguageModel* model = nullptr;
  bool adapter = true;  // false with the policy itself: the policy without its adapter is the reference
};

struct ScoreRequest {
  std::vector<VocabularyTerm> vocabulary = {};
  std::map<std::string, FrozenModel> models = {};  // those that vocabulary terms name
  bool hidden = false;
  bool marked = false;
  bool balance = false;
};

// In order of the forest's reads, on the model's device.
struct ForestScores {
  Tensor logps;                              // [reads], nats
  std::map<std::string, Tensor> vocabulary;  // [reads] each
  Tensor hidden;                             // [reads, d] after the final norm, where asked for
  Tensor marked;                             // [marks, d] after the final norm, where asked for
  // Where asked for, of models with experts: the load-balancing loss over the tokens and layers of this pass, without
  // its factor (ExpertsConfig::balance). 1 when all experts are as likely as chosen (Fedus et al. 2022, "Switch
  // transformers", equation 4, summed over the experts a token visits as in Hugging Face's models).
  Tensor balance;
};

struct LabelScores {
  Tensor scores;  // [marks, labels]
  Tensor states;  // [marks, d] after the final norm: what they are made of
};

class LanguageModel {
 public:
  // Reads config.json and the safetensors of a folder: of a language model, or of a sequence classifier
  // (ModelConfig::labels). FormatError lists what does not fit (at most ten tensors and the
  // count of the rest), weights that are not finite, or a head that differs from the embedding it is tied to; pickled
  // weights are refused without being opened.
  static LanguageModel load(const Path& folder, const LoadOptions& options = {});
  // Weights drawn from the seed, with the standard deviation the config gives (initializer_range).
  // `options`: element type and device.
  static LanguageModel random(const ModelConfig& config, std::uint64_t seed,
                              const at::TensorOptions& options = at::TensorOptions(at::kFloat));

  LanguageModel(LanguageModel&&) = default;
  LanguageModel& operator=(LanguageModel&&) = default;

  // config.json (unknown keys kept), model.safetensors, generation_config.json where the model came with one. A tied
  // head is written once. The adapter is not part of it: merge it first, or save it apart. Durable file by file.
  void save(Fs& fs, const Path& folder, const SaveOptions& options = {}) const;

  // Same weights (without adapter), own storage on the same device, no gradients.
  LanguageModel frozen_copy() const;
  // The same with the adapter's change added to the copy.
  LanguageModel merged_copy() const;

  const ModelConfig& config() const { return config_; }
  // An entry of config.json that no computation reads.
  void set_config_entry(std::string_view key, Json value) { config_.source.set(std::string(key), std::move(value)); }
  const Parameters& parameters() const { return *parameters_; }
  Parameters& parameters() { return *parameters_; }
  // What training changes: the adapter's parameters where there is one, else all. Heads come on top.
  Parameters& trainable() { return adapter_ ? adapter_->parameters() : *parameters_; }
  at::ScalarType dtype() const { return parameters_->dtype(); }
  at::Device device() const { return parameters_->device(); }
  std::string content_hash() const { return parameters_->content_hash(); }
  void set_compute(const ComputeOptions& options) { compute_ = options; }
  const ComputeOptions& compute() const { return compute_; }

  // Throws DataError for token ids [T] beyond the vocabulary, and for positions [T] beyond learned ones.
  void check_tokens(const Tensor& ids, const Tensor& positions) const;

  // The head of a pass with the adapter on (where there is one) or off.
  Head head(bool adapted = true) const;

  // Log-probabilities (and columns) of the reads. Gradients flow to whatever requires them. InternalError for a
  // classifier, which has none.
  ForestScores score(const TokenForest& forest, const ScoreRequest& request = {}) const;
  // [reads, V]: for tests and small jobs; score() never holds that much.
  Tensor logits(const TokenForest& forest) const;
  // After the final norm, [n, d], at the rows [n] (int64, in the CPU's memory), or at all of them when undefined. The
  // forest's sequences of one tree must turn by the same frequencies (with_equal_rotation), which is no condition for
  // most models.
  Tensor hidden(const TokenForest& forest, const Tensor& rows = {}) const;

  // What a classifier's score head says at the marked rows. Gradients flow.
  LabelScores label_scores(const TokenForest& forest) const;

  // [layers, reads, d]: the residual stream after every block, at the rows of the reads.
  Tensor block_states(const TokenForest& forest) const;

  // Heads beside the language model's own; drawn from the seed. InternalError when there are some already.
  OutputHeads& attach_heads(std::vector<HeadSpec> specs, std::uint64_t seed);
  OutputHeads* heads() { return heads_.get(); }
  const OutputHeads* heads() const { return heads_.get(); }

  // Freezes the weights and adds a fresh adapter (the change it makes is 0 at first), trainable.
  Adapter& attach_adapter(const AdapterOptions& options, std::uint64_t seed);
  // The same with an adapter of PEFT's files.
  Adapter& load_adapter(const Path& folder);
  // Of several, with what they change added up by weight.
  Adapter& load_adapters(const std::vector<Path>& folders, const std::vector<double>& weights);
  void detach_adapter();
  Adapter* adapter() { return adapter_.get(); }
  const Adapter* adapter() const { return adapter_.get(); }
  // Writes PEFT's files; `base` is what adapter_config.json names as the base model.
  void save_adapter(Fs& fs, const Path& folder, const std::string& base) const;
  // Adds the adapter's change to the weights, or takes it away again (up to rounding). Merging twice is refused.
  void merge_adapter();
  void unmerge_adapter();
  // What passes need that follows from the adapter's weights; for those who run the trunk themselves, before they do.
  void refresh_adapter() const;

  const Family& family() const { return *family_; }

 private:
  LanguageModel(ModelConfig config, Parameters parameters);
  std::shared_ptr<BlockContext> context_for(const TokenForest& forest) const;
  TrunkInput pass_over(const TokenForest& forest, const Tensor& rows) const;
  void check_forest(const TokenForest& forest) const;
  Head head_over(const TokenForest& forest) const;
  void change_by_adapter(double sign);

  ModelConfig config_;
  std::unique_ptr<Parameters> parameters_;
  std::unique_ptr<Family> family_;
  std::unique_ptr<Adapter> adapter_;
  std::unique_ptr<OutputHeads> heads_;
  ComputeOptions compute_;
  std::optional<std::string> generation_config_;  // bytes of the file
};

}  // namespace attune
