#include "attune/model/adapter.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/model/adapter_layout.h"

namespace attune {
namespace {

struct Place {
  const Linear::Module* module = nullptr;
  std::int64_t inputs = 0;
};

Place find_module(Family& family, const std::string& path) {
  for (const Linear* linear : family.linears()) {
    for (const Linear::Module& module : linear->modules) {
      if (module.path == path) return {&module, linear->weight.size(1)};
    }
  }
  return {};
}

std::string down_name(const std::string& module) { return std::string(adapter_prefix) + module + ".lora_A.weight"; }
std::string up_name(const std::string& module) { return std::string(adapter_prefix) + module + ".lora_B.weight"; }

void check_options(const AdapterOptions& options) {
  if (options.rank < 1) throw ConfigError({.field = "adapter.rank"}, std::to_string(options.rank), "at least 1");
  if (options.dropout != 0) {
    throw ConfigError({.field = "adapter.dropout"}, format_double(options.dropout), "0: there is no dropout here");
  }
}

}  // namespace

double AdapterOptions::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rank_stabilized ? std::sqrt(r) : r);
}

std::vector<std::string> match_modules(Family& family, const std::vector<std::string>& targets) {
  std::vector<std::string> result;
  for (const Linear* linear : family.linears()) {
    for (const Linear::Module& module : linear->modules) {
      const bool wanted = std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
        return target == "all-linear" || module.path == target || module.path.ends_with("." + target);
      });
      if (wanted) result.push_back(module.path);
    }
  }
  return result;
}

std::vector<ParameterSpec> adapter_specs(Family& family, const std::vector<std::string>& modules, std::int64_t rank) {
  std::vector<ParameterSpec> specs;
  for (const std::string& path : modules) {
    const Place place = find_module(family, path);
    const std::int64_t rows = place.module->row_end - place.module->row_begin;
    specs.push_back({{rank, place.inputs}, {{down_name(path), rank, false}}, {}});
    specs.push_back({{rows, rank}, {{up_name(path), rows, false}}, {}});
  }
  return specs;
}

Adapter::Adapter(Family& family, const AdapterOptions& options, std::uint64_t seed, const at::TensorOptions& tensors)
    : options_(options) {
  check_options(options);
  if (options_.targets.empty()) options_.targets = family.default_targets();
  for (const std::string& target : options_.targets) {
    if (!match_modules(family, {target}).empty()) continue;
    throw ConfigError({.field = "adapter.targets"}, "the target " + json_quote(target) + ", which matches no module",
                      "names such as " + family.default_targets().front() + ", or all-linear");
  }
  modules_ = match_modules(family, options_.targets);
  transposed_ = find_module(family, modules_.front()).module->transposed;
  parameters_ = Parameters(adapter_specs(family, modules_, options_.rank), tensors);
  for (const std::string& path : modules_) {
    const Tensor down = parameters_.part(down_name(path));
    const double bound = 1 / std::sqrt(static_cast<double>(down.size(1)));
    Random random(seed, "init/" + down_name(path));
    const Tensor drawn = at::empty(down.sizes(), at::TensorOptions(at::kDouble));
    double* values = drawn.mutable_data_ptr<double>();
    for (std::int64_t i = 0; i < drawn.numel(); ++i) values[i] = bound * (2 * random.uniform() - 1);
    down.copy_(drawn);
  }
}

void Adapter::bind(Family& family) const {
  unbind(family);
  const std::set<std::string> adapted(modules_.begin(), modules_.end());
  for (Linear* linear : family.linears()) {
    for (const Linear::Module& module : linear->modules) {
      if (!adapted.contains(module.path)) continue;
      linear->factors.push_back({module.row_begin, module.row_end, parameters_.leaf_of(down_name(module.path)),
                                 parameters_.leaf_of(up_name(module.path)), options_.scale()});
    }
  }
}

void Adapter::unbind(Family& family) {
  for (Linear* linear : family.linears()) linear->factors.clear();
}

}  // namespace attune
