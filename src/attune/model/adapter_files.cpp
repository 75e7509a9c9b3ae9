// PEFT's adapter_config.json and adapter_model.safetensors.
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "attune/base/errors.h"
#include "attune/model/adapter.h"
#include "attune/model/adapter_layout.h"
#include "attune/model/config_reader.h"
#include "attune/model/weight_files.h"
#include "attune/tensor/safetensors.h"

namespace attune {
namespace {

// In the metadata of the safetensors file, where other programs look past it: hash of the weights it was trained on.
constexpr const char* hash_key = "attune_base_hash";

// Features of PEFT that change what an adapter computes and that attune does not have: off, empty or absent only.
constexpr std::string_view unsupported[] = {"lora_bias",         "rank_pattern",
                                            "alpha_pattern",     "layer_replication",
                                            "target_parameters", "trainable_token_indices",
                                            "use_qalora",        "alora_invocation_tokens",
                                            "corda_config",      "arrow_config",
                                            "use_bdlora",        "megatron_config"};

bool unset(const Json& value) {
  return value.is_null() || (value.is_bool() && !value.boolean()) ||
         ((value.is_object() || value.is_array()) && value.size() == 0);
}

// How the factors started matters where the start is in the base model's weights: that of `pissa` can be computed
// again.
AdapterStart read_start(const ConfigReader& reader, const Json& values) {
  const Json* value = values.find("init_lora_weights");
  if (value == nullptr || !value->is_string()) return AdapterStart::kaiming;
  const std::string& name = value->string();
  if (name == "pissa") return AdapterStart::principal;
  if (name == "gaussian" || name == "eva" || name == "orthogonal") return AdapterStart::gaussian;
  reader.fail("init_lora_weights", json_quote(name), "true, gaussian or pissa, or the adapter converted to plain LoRA");
}

AdapterOptions read_options(const ConfigReader& reader, const Json& values) {
  reader.only("peft_type", "LORA");
  for (const std::string_view key : unsupported) {
    if (const Json* value = values.find(key); value != nullptr && !unset(*value)) {
      reader.fail(key, "a setting that is not supported", "none");
    }
  }
  reader.only("bias", "none");
  AdapterOptions options{.rank = reader.integer("r"),
                         .alpha = reader.number("lora_alpha", 8),
                         .targets = {},
                         .rank_stabilized = reader.boolean("use_rslora", false),
                         .magnitudes = reader.boolean("use_dora", false),
                         .start = read_start(reader, values)};
  if (options.magnitudes && options.start == AdapterStart::principal) {
    reader.fail("init_lora_weights", "pissa under use_dora", "one of the two");
  }
  if (options.rank < 1 || options.rank > 65536) reader.fail("r", std::to_string(options.rank), "from 1 to 65536");
  return options;
}

std::string module_of(std::string_view name) {
  name.remove_prefix(std::min(name.size(), adapter_prefix.size()));
  const std::size_t end = name.find(".lora_");
  return std::string(name.substr(0, end));
}

bool is_factor(const std::string& name) {
  return name.ends_with(".lora_A.weight") || name.ends_with(".lora_B.weight") ||
         name.ends_with(".lora_magnitude_vector");
}

// What the tensors of a file are for.
struct FoundModules {
  std::vector<std::string> adapted = {};  // in storage order
  bool head = false, embedding = false;
};

FoundModules modules_in(const Path& path, const SafetensorsFile& file, Family& family) {
  FoundModules found;
  std::set<std::string> wanted;
  for (const StoredTensor& tensor : file.tensors()) {
    const std::string module = module_of(tensor.name);
    const std::string whole = tensor.name.substr(0, tensor.name.rfind('.'));
    const bool factor = tensor.name.starts_with(adapter_prefix) && is_factor(tensor.name) &&
                        match_modules(family, {module}) == std::vector<std::string>{module};
    const bool head = whole == std::string(adapter_prefix) + family.head_path();
    const bool embedding = whole == std::string(adapter_prefix) + family.embedding_path();
    if (factor) wanted.insert(module);
    found.head = found.head || head;
    found.embedding = found.embedding || embedding;
    if (factor || head || embedding) continue;
    throw FormatError(
        {.file = path.string(), .field = "tensor " + json_quote(tensor.name.substr(0, 200))},
        "a tensor for no module of this model",
        "lora_A and lora_B of its matrices, or a whole " + family.head_path() + " or " + family.embedding_path(),
        "use the base model that the adapter was trained on");
  }
  found.adapted = match_modules(family, {"all-linear"});
  std::erase_if(found.adapted, [&](const std::string& module) { return !wanted.contains(module); });
  if (found.adapted.empty() && !found.head && !found.embedding) {
    throw FormatError({.file = path.string()}, "no tensors", "an adapter");
  }
  return found;
}

Json read_adapter_config(const Path& folder) {
  const Path path = folder / "adapter_config.json";
  if (!std::filesystem::exists(path) && std::filesystem::is_directory(folder)) {
    std::string inside;
    for (const std::string& name : list_directory(folder)) {
      if (std::filesystem::exists(folder / name / "adapter_config.json")) inside += (inside.empty() ? "" : ", ") + name;
    }
    if (!inside.empty()) {
      throw MissingInput({.file = folder.string()}, "several adapters by name (" + inside + ")", "one of them",
                         "name its folder: " + (folder / inside.substr(0, inside.find(','))).string());
    }
  }
  try {
    return Json::parse(read_file(path));
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = path.string()}, "no valid JSON (" + error.reason + ")", "PEFT's adapter config");
  }
}

Json strings(const std::vector<std::string>& values) {
  Json result = Json::array();
  for (const std::string& value : values) result.push_back(value);
  return result;
}

}  // namespace

Adapter::Adapter(Family& family, const Path& folder, const Parameters& base) : source_(read_adapter_config(folder)) {
  const Path config_path = folder / "adapter_config.json", weights_path = folder / "adapter_model.safetensors";
  const ConfigReader reader(source_, config_path);
  options_ = read_options(reader, source_);
  const SafetensorsFile file(weights_path);
  FoundModules found = modules_in(weights_path, file, family);
  modules_ = std::move(found.adapted);
  options_.targets = modules_;
  if (found.head) head_ = family.head_path();
  if (found.embedding) embedding_ = family.embedding_path();
  make_parameters(family, base);
  if (const auto written = file.metadata().find(hash_key);
      written != file.metadata().end() && written->second != hash_without_saved(base)) {
    throw FormatError({.file = weights_path.string(), .field = hash_key}, "an adapter for other weights",
                      "the base model that it was trained on");
  }
  if (options_.start == AdapterStart::principal) start_principal(family);
  transposed_ = reader.boolean("fan_in_fan_out", false);
  for (const std::string& name : parameters_.names()) {
    const StoredTensor* tensor = file.find(name);
    const Tensor to = parameters_.part(name);
    if (tensor == nullptr || at::IntArrayRef(tensor->shape) != to.sizes()) {
      throw FormatError({.file = weights_path.string(), .field = "tensor " + json_quote(name)},
                        tensor == nullptr ? "none" : "another shape", "one of shape " + shape_text(to.sizes().vec()),
                        "use the base model that the adapter was trained on");
    }
    to.copy_(file.view(*tensor));
  }
}

// Of factors with a start of their own: [A; A0] and [B, -B0], which change what B A - B0 A0 does.
static Tensor tensor_of_file(const Parameters& now, const Parameters& starts, const std::string& name) {
  const Tensor values = now.part(name);
  if (!starts.contains(name)) return values;
  const bool down = name.ends_with(".lora_A.weight");
  return down ? at::cat({values, starts.part(name)}) : at::cat({values, -starts.part(name)}, 1);
}

Json Adapter::saved_config(const std::string& name) const {
  const bool doubled = starts_.size() > 0;
  Json config = source_;
  config.set("peft_type", "LORA");
  config.set("task_type", head_ == "score" ? "SEQ_CLS" : "CAUSAL_LM");
  config.set("base_model_name_or_path", name);
  config.set("r", doubled ? 2 * options_.rank : options_.rank);
  // The scale stays what it was.
  const double alpha = !doubled ? options_.alpha : options_.alpha * (options_.rank_stabilized ? std::sqrt(2.0) : 2);
  config.set("lora_alpha", alpha);
  config.set("use_rslora", options_.rank_stabilized);
  config.set("use_dora", options_.magnitudes);
  if (doubled || config.find("init_lora_weights") == nullptr) config.set("init_lora_weights", true);
  if (!saved_.empty() && (config.find("modules_to_save") == nullptr || config.find("modules_to_save")->is_null())) {
    std::vector<std::string> paths;
    for (const std::string& path : {embedding_, head_}) {
      if (!path.empty()) paths.push_back(path.substr(path.rfind('.') + 1));
    }
    config.set("modules_to_save", strings(paths));
  }
  if (config.find("target_modules") == nullptr) {
    const bool everything = options_.targets == std::vector<std::string>{"all-linear"};
    config.set("target_modules", everything ? Json("all-linear") : strings(options_.targets));
    config.set("lora_dropout", 0.0);
    config.set("bias", "none");
    config.set("fan_in_fan_out", transposed_);
    config.set("inference_mode", true);
  }
  return config;
}

void Adapter::save(Fs& fs, const Path& folder, const std::string& name, const Parameters& base) const {
  fs.make_directories(folder);
  std::vector<NamedTensor> tensors;
  for (const std::string& part : parameters_.names()) {
    tensors.push_back({part, tensor_of_file(parameters_, starts_, part).to(at::kFloat)});
  }
  write_safetensors(fs, folder / "adapter_model.safetensors", std::move(tensors),
                    {.metadata = {{"format", "pt"}, {hash_key, hash_without_saved(base)}}});
  write_durably(fs, folder / "adapter_config.json", saved_config(name).str(2) + "\n");
}

bool is_adapter_folder(const Path& folder) {
  return std::filesystem::exists(folder / "adapter_config.json") && !std::filesystem::exists(folder / "config.json");
}

Path base_of_adapter(const Path& folder) {
  const Json config = read_adapter_config(folder);
  const Json* base = config.find("base_model_name_or_path");
  if (base != nullptr && base->is_string() && std::filesystem::is_directory(base->string())) return base->string();
  throw MissingInput({.file = (folder / "adapter_config.json").string(), .field = "base_model_name_or_path"},
                     "no folder of a base model there", "", "give --model BASE --adapter " + folder.string());
}

}  // namespace attune
