// What a stage starts from: its data as tokens, its model, its frozen columns.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "attune/base/files.h"
#include "attune/model/language_model.h"
#include "attune/text/tokenizer.h"
#include "attune/train/batches.h"
#include "attune/train/encode.h"
#include "attune/train/evaluate.h"
#include "attune/train/run.h"

namespace attune {

struct StageData {
  std::vector<TokenRecord> train = {};
  EvaluationData eval = {};
  Dataset prompts = {};   // what samples are written for: the evaluation data's records, else the training data's
  std::string hash = {};  // of everything that training sees
};

// Where the stage's models are, and what is kept or made with them: the device of the settings, found. DeviceError
// where there is no such, ConfigError for settings that it does not serve: on the CPU products in bfloat16, on a GPU
// compressed moments.
at::Device device_of(const RunSettings& settings);

// The element type and device of the stage's weights, and of the operands of its matrix products.
at::TensorOptions tensors_of(const RunSettings& settings);
at::TensorOptions operands_of(const RunSettings& settings);

// The tokenizer of the settings: named, or the model folder's.
Tokenizer load_tokenizer(const RunSettings& settings);
// Where its files lie, to be copied beside a saved model.
Path tokenizer_folder(const RunSettings& settings);

// Reads and encodes training and evaluation data (the file's own, or a held-out share of the questions). Records that
// the objectives cannot learn from are dropped and counted; DataError when none is left.
StageData load_stage_data(const RunSettings& settings, const Tokenizer& tokenizer);

// The model of the settings, or the one at `previous` (the stage before), with its adapter and heads attached; heads of
// those names that lie beside its weights are taken over. Where a score head is needed it is a sequence classifier,
// made from a language model or one before; ConfigError when its labels are others.
LanguageModel load_stage_model(const RunSettings& settings, const std::optional<Path>& previous, const Needs& needs);

// Of a model drawn from the seed: the settings' config, a sequence classifier's where a score head is needed.
ModelConfig stage_config(const RunSettings& settings, const Needs& needs);

ComputeOptions compute_options(const RunSettings& settings, bool recompute);

// What the settings say of computing with a model, and its adapter, freshly drawn. Blocks are computed again only where
// the settings ask for it by name: train/memory.h knows when else.
void prepare_model(const RunSettings& settings, LanguageModel& model);

BatchOptions batch_options(const RunSettings& settings);

// Throws ConfigError when a step is cut into several micro-batches, which optimizer.in_backward cannot add up.
void require_whole_steps(const Batches& batches);

// Saves the trained model as a Hugging Face folder, tokenizer files beside it: the adapter where there is one and
// `base` names what it belongs to, else weights and config.
void save_stage_model(Fs& fs, const LanguageModel& model, const RunSettings& settings, const Path& folder,
                      const Path& base);

}  // namespace attune
