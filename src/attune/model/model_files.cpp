// Loading and saving a model's folder.
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/model/families.h"
#include "attune/model/language_model.h"
#include "attune/model/weight_files.h"
#include "attune/tensor/adamw.h"

namespace attune {
namespace {

constexpr std::size_t most_listed = 10;
constexpr const char *head_name = "lm_head.weight", *score_name = "score.weight";

[[noreturn]] void refuse_without_safetensors(const Path& folder) {
  for (const std::string& name : list_directory(folder)) {
    const Path extension = Path(name).extension();
    if (extension != ".bin" && extension != ".pt" && extension != ".pth") continue;
    const bool classifier = std::filesystem::exists(folder / "config.json") &&
                            read_file(folder / "config.json").find("ForSequenceClassification") != std::string::npos;
    const std::string kind = classifier ? "AutoModelForSequenceClassification" : "AutoModelForCausalLM";
    throw FormatError({.file = (folder / name).string()}, "pickled weights, which can run code when they are opened",
                      "model.safetensors",
                      "convert them where they are trusted: python -c \"from transformers import " + kind +
                          " as M; M.from_pretrained('FOLDER').save_pretrained('FOLDER')\"");
  }
  throw MissingInput({.file = folder.string()}, "no model.safetensors", "the weights of a model");
}

bool is_head(std::string_view stored) { return stored.starts_with("lm_head.") || stored.starts_with("embed_out."); }

struct FilePart {
  std::vector<std::int64_t> shape;  // as the file holds it
};

std::map<std::string, FilePart> expected_parts(const std::vector<ParameterSpec>& specs) {
  std::map<std::string, FilePart> parts;
  for (const ParameterSpec& spec : specs) {
    for (const ParameterPart& part : spec.parts) {
      std::vector<std::int64_t> shape = spec.shape;
      shape[0] = part.rows;
      if (part.transposed) std::swap(shape[0], shape[1]);
      parts[part.name] = {shape};
    }
  }
  return parts;
}

// stored name -> name in the file, when everything the model needs is there and nothing else. A score head may be
// missing where it `may_start` afresh.
std::map<std::string, std::string> match_tensors(const Path& folder, const SafetensorsFolder& files,
                                                 const FamilyRow& row, const ModelConfig& config,
                                                 const std::map<std::string, FilePart>& expected, bool may_start) {
  std::map<std::string, std::string> found;
  ProblemList problems;
  for (const std::string& name : files.names()) {
    const std::string stored = row.stored_name(name);
    if (stored.empty() || (config.tied && is_head(stored))) continue;
    if (config.labels > 0 && is_head(stored)) continue;
    const auto part = expected.find(stored);
    if (part == expected.end()) {
      problems.add(name + " belongs to no part of a " + config.family + " model");
    } else if (const auto& shape = files.find(name)->shape; shape != part->second.shape) {
      problems.add(name + " has shape " + shape_text(shape) + " instead of " + shape_text(part->second.shape));
    }
    found[stored] = name;
  }
  for (const auto& [name, part] : expected) {
    const bool fresh = name == score_name && files.find(score_name) == nullptr && may_start;
    if (!found.contains(name) && !fresh) problems.add(name + " " + shape_text(part.shape) + " is missing");
  }
  problems.raise(folder, "the tensors that config.json describes", "check that config and weights belong together");
  return found;
}

void check_finite(const Path& folder, const Parameters& parameters) {
  if (std::isfinite(squared_norm(parameters.flat()))) return;
  ProblemList problems;
  for (const std::string& name : parameters.names()) {
    const Tensor values = parameters.part(name);
    const std::int64_t bad = values.numel() - at::isfinite(values).sum().item<std::int64_t>();
    if (bad > 0) problems.add(name + " holds " + std::to_string(bad) + " values that are not finite");
  }
  problems.raise(folder, "finite weights", "fetch the model again, or go back to an earlier checkpoint");
}

void check_tied_head(const Path& folder, const SafetensorsFolder& files, const Parameters& parameters,
                     const Tensor& embedding) {
  if (files.find(head_name) == nullptr) return;
  const Tensor head = files.view(head_name).to(parameters.options());
  if (at::equal(head, embedding)) return;
  throw FormatError({.file = folder.string(), .field = "tie_word_embeddings"},
                    "true, with an lm_head.weight that differs from the embedding", "equal ones",
                    "set tie_word_embeddings to false to use that head, or remove it from the file");
}

std::string dtype_text(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return "float64";
    case at::kBFloat16:
      return "bfloat16";
    case at::kHalf:
      return "float16";
    default:
      return "float32";
  }
}

Json saved_config(const ModelConfig& config, at::ScalarType dtype) {
  Json result = config.source;
  if (result.find("architectures") == nullptr) {
    Json architectures = Json::array();
    architectures.push_back(find_family(config.family)->architecture);
    result.set("architectures", std::move(architectures));
  }
  result.set(result.find("dtype") == nullptr && result.find("torch_dtype") != nullptr ? "torch_dtype" : "dtype",
             dtype_text(dtype));
  return result;
}

}  // namespace

void ProblemList::add(const std::string& problem) {
  if (count_++ < most_listed) text_ += (text_.empty() ? "" : "; ") + problem;
}

void ProblemList::raise(const Path& path, const std::string& expected, const std::string& remedy) const {
  if (count_ == 0) return;
  const std::string more = count_ > most_listed ? "; and " + std::to_string(count_ - most_listed) + " more" : "";
  throw FormatError({.file = path.string()}, text_ + more, expected, remedy);
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

SafetensorsFolder open_weights(const Path& folder) {
  const bool there = std::filesystem::exists(folder / "model.safetensors") ||
                     std::filesystem::exists(folder / "model.safetensors.index.json");
  if (!there) refuse_without_safetensors(folder);
  return SafetensorsFolder(folder);
}

LanguageModel LanguageModel::load(const Path& folder, const LoadOptions& options) {
  ModelConfig config = read_model_config(folder);
  const FamilyRow& row = *find_family(config.family);
  if (config.labels > 0 && !options.classifier) {
    throw FormatError({.file = (folder / "config.json").string(), .field = "architectures"}, "a sequence classifier",
                      "a language model", "name it where a reward model is asked for");
  }
  const bool becomes_classifier = options.classifier && config.labels == 0;
  if (becomes_classifier) config = classifier_config(std::move(config), options.labels, folder);
  const SafetensorsFolder files = open_weights(folder);
  std::vector<ParameterSpec> specs = row.parameters(config);
  const auto names = match_tensors(folder, files, row, config, expected_parts(specs), becomes_classifier);
  Parameters parameters(
      std::move(specs),
      at::TensorOptions(options.dtype).device(options.device));  // only now: shapes are those of bytes that exist
  if (becomes_classifier) parameters.initialize(options.seed);
  for (const auto& [stored, name] : names) parameters.file_view(stored).copy_(files.view(name));
  if (!options.allow_nonfinite) check_finite(folder, parameters);
  LanguageModel model(config, std::move(parameters));
  if (config.tied && config.labels == 0) {
    check_tied_head(folder, files, *model.parameters_, model.family_->head().weight.detach());
  }
  const Path generation = folder / "generation_config.json";
  if (std::filesystem::exists(generation)) model.generation_config_ = read_file(generation);
  return model;
}

void LanguageModel::save(Fs& fs, const Path& folder, const SaveOptions& options) const {
  fs.make_directories(folder);
  std::vector<NamedTensor> tensors;
  for (const std::string& name : parameters_->names()) {
    tensors.push_back({name, parameters_->file_view(name).to(options.dtype)});
  }
  write_safetensors_folder(fs, folder, std::move(tensors), {.shard_bytes = options.shard_bytes});
  if (generation_config_) write_durably(fs, folder / "generation_config.json", *generation_config_);
  write_durably(fs, folder / "config.json", saved_config(config_, options.dtype).str(2) + "\n");
}

}  // namespace attune
