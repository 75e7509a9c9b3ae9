// PEFT's adapter_config.json and adapter_model.safetensors.
#include <algorithm>
#include <set>

#include "attune/base/errors.h"
#include "attune/model/adapter.h"
#include "attune/model/adapter_layout.h"
#include "attune/model/config_reader.h"
#include "attune/tensor/safetensors.h"

namespace attune {
namespace {

// In the metadata of the safetensors file, where other programs look past it: hash of the weights it was trained on.
constexpr const char* hash_key = "attune_base_hash";

// Features of PEFT that change what an adapter computes and that attune does not have: off, empty or absent only.
constexpr std::string_view unsupported[] = {"use_dora",          "lora_bias",
                                            "modules_to_save",   "rank_pattern",
                                            "alpha_pattern",     "layer_replication",
                                            "target_parameters", "trainable_token_indices",
                                            "use_qalora",        "alora_invocation_tokens",
                                            "corda_config",      "arrow_config",
                                            "use_bdlora",        "megatron_config"};

bool unset(const Json& value) {
  return value.is_null() || (value.is_bool() && !value.boolean()) ||
         ((value.is_object() || value.is_array()) && value.size() == 0);
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
                         .rank_stabilized = reader.boolean("use_rslora", false)};
  if (options.rank < 1 || options.rank > 65536) reader.fail("r", std::to_string(options.rank), "from 1 to 65536");
  return options;
}

std::string module_of(std::string_view name) {
  name.remove_prefix(std::min(name.size(), adapter_prefix.size()));
  const std::size_t end = name.find(".lora_");
  return std::string(name.substr(0, end));
}

std::vector<std::string> modules_in(const Path& path, const SafetensorsFile& file, Family& family) {
  std::set<std::string> wanted;
  for (const StoredTensor& tensor : file.tensors()) {
    const bool named = tensor.name.starts_with(adapter_prefix) &&
                       (tensor.name.ends_with(".lora_A.weight") || tensor.name.ends_with(".lora_B.weight"));
    const std::string module = module_of(tensor.name);
    if (!named || match_modules(family, {module}) != std::vector<std::string>{module}) {
      throw FormatError({.file = path.string(), .field = "tensor " + json_quote(tensor.name.substr(0, 200))},
                        "a tensor for no module of this model", "lora_A and lora_B of its matrices",
                        "use the base model that the adapter was trained on");
    }
    wanted.insert(module);
  }
  std::vector<std::string> all = match_modules(family, {"all-linear"});
  std::erase_if(all, [&](const std::string& module) { return !wanted.contains(module); });
  if (all.empty()) throw FormatError({.file = path.string()}, "no tensors", "an adapter");
  return all;
}

Json strings(const std::vector<std::string>& values) {
  Json result = Json::array();
  for (const std::string& value : values) result.push_back(value);
  return result;
}

}  // namespace

Adapter::Adapter(Family& family, const Path& folder, const std::string& base_hash, const at::TensorOptions& tensors) {
  const Path config_path = folder / "adapter_config.json", weights_path = folder / "adapter_model.safetensors";
  try {
    source_ = Json::parse(read_file(config_path));
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = config_path.string()}, "no valid JSON (" + error.reason + ")", "PEFT's adapter config");
  }
  const ConfigReader reader(source_, config_path);
  options_ = read_options(reader, source_);
  const SafetensorsFile file(weights_path);
  if (const auto written = file.metadata().find(hash_key);
      written != file.metadata().end() && written->second != base_hash) {
    throw FormatError({.file = weights_path.string(), .field = hash_key}, "an adapter for other weights",
                      "the base model that it was trained on");
  }
  modules_ = modules_in(weights_path, file, family);
  options_.targets = modules_;
  parameters_ = Parameters(adapter_specs(family, modules_, options_.rank), tensors);
  transposed_ = reader.boolean("fan_in_fan_out", false);
  for (const std::string& name : parameters_.names()) {
    const StoredTensor* tensor = file.find(name);
    const Tensor to = parameters_.part(name);
    if (tensor == nullptr || at::IntArrayRef(tensor->shape) != to.sizes()) {
      throw FormatError({.file = weights_path.string(), .field = "tensor " + json_quote(name)},
                        tensor == nullptr ? "none" : "another shape",
                        "a matrix of " + std::to_string(to.size(0)) + " by " + std::to_string(to.size(1)),
                        "use the base model that the adapter was trained on");
    }
    to.copy_(file.view(*tensor));
  }
}

void Adapter::save(Fs& fs, const Path& folder, const std::string& base, const std::string& base_hash) const {
  fs.make_directories(folder);
  std::vector<NamedTensor> tensors;
  for (const std::string& name : parameters_.names()) tensors.push_back({name, parameters_.part(name).to(at::kFloat)});
  write_safetensors(fs, folder / "adapter_model.safetensors", std::move(tensors),
                    {.metadata = {{"format", "pt"}, {hash_key, base_hash}}});
  Json config = source_;
  config.set("peft_type", "LORA");
  config.set("task_type", "CAUSAL_LM");
  config.set("base_model_name_or_path", base);
  config.set("r", options_.rank);
  config.set("lora_alpha", options_.alpha);
  config.set("use_rslora", options_.rank_stabilized);
  if (config.find("target_modules") == nullptr) {
    const bool everything = options_.targets == std::vector<std::string>{"all-linear"};
    config.set("target_modules", everything ? Json("all-linear") : strings(options_.targets));
    config.set("lora_dropout", 0.0);
    config.set("bias", "none");
    config.set("fan_in_fan_out", transposed_);
    config.set("inference_mode", true);
  }
  write_durably(fs, folder / "adapter_config.json", config.str(2) + "\n");
}

}  // namespace attune
