#include "attune/model/output_heads.h"

#include <ATen/ops/baddbmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/relu.h>

#include <filesystem>
#include <utility>

#include "attune/tensor/safetensors.h"

namespace attune {
namespace {

std::string weight_name(const HeadSpec& spec) { return "heads/" + spec.name + ".weight"; }
std::string bias_name(const HeadSpec& spec) { return "heads/" + spec.name + ".bias"; }

// A mask has a matrix for every block, one above the other: [layers * outputs, d].
std::vector<ParameterSpec> parameter_specs(const std::vector<HeadSpec>& heads, std::int64_t width,
                                           std::int64_t layers) {
  std::vector<ParameterSpec> result;
  for (const HeadSpec& head : heads) {
    const bool mask = head.kind == HeadKind::layer_mask;
    const std::int64_t rows = mask ? layers * head.outputs : head.outputs;
    result.push_back({{rows, width}, {{weight_name(head), rows, false}}, {.deviation = mask ? 0.01 : 0}});
    if (mask) result.push_back({{rows}, {{bias_name(head), rows, false}}, {.constant = 1}});
  }
  return result;
}

}  // namespace

OutputHeads::OutputHeads(std::vector<HeadSpec> specs, std::int64_t width, std::int64_t layers, std::uint64_t seed,
                         const at::TensorOptions& options)
    : specs_(std::move(specs)), parameters_(parameter_specs(specs_, width, layers), options) {
  parameters_.initialize(seed);
}

Tensor OutputHeads::apply(const HeadSpec& spec, const Tensor& hidden) const {
  const Tensor& weight = parameters_.leaf_of(weight_name(spec));
  const Tensor input = spec.detached ? hidden.detach() : hidden;
  if (spec.kind == HeadKind::linear) return at::mm(input, weight.t());
  const std::int64_t layers = input.size(0);
  const Tensor bias = parameters_.leaf_of(bias_name(spec)).view({layers, 1, spec.outputs});
  const Tensor by_layer = weight.view({layers, spec.outputs, -1}).transpose(1, 2);
  return at::relu(at::baddbmm(bias, input, by_layer)).mean(0);
}

std::size_t OutputHeads::load(const Path& folder) {
  if (!std::filesystem::exists(folder / heads_file)) return 0;
  const SafetensorsFile file(folder / heads_file);
  std::size_t loaded = 0;
  for (const std::string& name : parameters_.names()) {
    const Tensor part = parameters_.part(name);
    const StoredTensor* stored = file.find(name);
    if (stored == nullptr || part.sizes() != at::IntArrayRef(stored->shape)) continue;
    part.copy_(file.view(*stored));
    ++loaded;
  }
  return loaded;
}

void OutputHeads::save(Fs& fs, const Path& folder) const {
  std::vector<NamedTensor> tensors;
  for (const std::string& name : parameters_.names()) tensors.push_back({name, parameters_.part(name).contiguous()});
  write_safetensors(fs, folder / heads_file, std::move(tensors));
}

}  // namespace attune
