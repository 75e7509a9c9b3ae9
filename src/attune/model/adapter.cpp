#include "attune/model/adapter.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_svd.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/model/adapter_layout.h"

namespace attune {
namespace {

void check_options(const AdapterOptions& options) {
  if (options.rank < 1) throw ConfigError({.field = "adapter.rank"}, std::to_string(options.rank), "at least 1");
  if (options.dropout != 0) {
    throw ConfigError({.field = "adapter.dropout"}, format_double(options.dropout), "0: there is no dropout here");
  }
  if (options.magnitudes && options.start == AdapterStart::principal) {
    throw ConfigError({.field = "adapter.init"}, "pissa under dora", "kaiming or gaussian");
  }
}

bool names(const std::string& target, const std::string& path) {
  return path == target || path.ends_with("." + target);
}

void draw(const Tensor& down, AdapterStart start, Random random) {
  const double bound = 1 / std::sqrt(static_cast<double>(down.size(1)));
  const double deviation = 1 / static_cast<double>(down.size(0));
  const Tensor drawn = at::empty(down.sizes(), at::TensorOptions(at::kDouble));
  double* values = drawn.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < drawn.numel(); ++i) {
    values[i] = start == AdapterStart::gaussian ? deviation * random.normal() : bound * (2 * random.uniform() - 1);
  }
  down.copy_(drawn);
}

}  // namespace

ModulePlace find_module(Family& family, const std::string& path) {
  for (const Linear* linear : family.linears()) {
    for (const Linear::Module& module : linear->modules) {
      if (module.path == path) return {linear, &module};
    }
  }
  require(false, "a module that does not exist: " + path);
  return {};
}

double AdapterOptions::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rank_stabilized ? std::sqrt(r) : r);
}

std::vector<std::string> match_modules(Family& family, const std::vector<std::string>& targets) {
  std::vector<std::string> result;
  for (const Linear* linear : family.linears()) {
    for (const Linear::Module& module : linear->modules) {
      const bool wanted = std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
        return target == "all-linear" || names(target, module.path);
      });
      if (wanted) result.push_back(module.path);
    }
  }
  return result;
}

// Storage for modules_, and for head_ and embedding_ with the values that the model has.
void Adapter::make_parameters(Family& family, const Parameters& base) {
  tied_ = !base.contains(family.head_path() + ".weight");
  transposed_ = !modules_.empty() && find_module(family, modules_.front()).module->transposed;
  std::vector<ParameterSpec> factors;
  for (const std::string& path : modules_) {
    const at::IntArrayRef sizes = find_module(family, path).weight().sizes();
    factors.push_back({{options_.rank, sizes[1]}, {{down_name(path), options_.rank, false}}, {}});
    factors.push_back({{sizes[0], options_.rank}, {{up_name(path), sizes[0], false}}, {}});
  }
  std::vector<ParameterSpec> all = factors;
  for (const std::string& path : modules_) {
    if (!options_.magnitudes) break;
    const std::int64_t rows = find_module(family, path).weight().size(0);
    all.push_back({{rows}, {{magnitude_name(path), rows, false}}, {}});
  }
  if (!embedding_.empty()) saved_.push_back(embedding_ + ".weight");
  if (!head_.empty()) saved_.push_back(head_ + ".weight");
  if (!head_.empty() && base.contains(head_ + ".bias")) saved_.push_back(head_ + ".bias");
  const std::string embedding = family.embedding_path() + ".weight";
  const auto values_of = [&](const std::string& name) { return base.part(base.contains(name) ? name : embedding); };
  for (const std::string& name : saved_) {
    const std::vector<std::int64_t> shape = values_of(name).sizes().vec();
    all.push_back({shape, {{std::string(adapter_prefix) + name, shape[0], false}}, {}});
  }
  parameters_ = Parameters(std::move(all), base.options());
  for (const std::string& name : saved_) {
    parameters_.part(std::string(adapter_prefix) + name).copy_(values_of(name));
  }
  if (options_.start == AdapterStart::principal) starts_ = Parameters(std::move(factors), base.options());
}

Adapter::Adapter(Family& family, const AdapterOptions& options, std::uint64_t seed, const Parameters& base)
    : options_(options) {
  check_options(options);
  if (options_.targets.empty()) options_.targets = family.default_targets();
  for (const std::string& target : options_.targets) {
    if (!match_modules(family, {target}).empty()) continue;
    throw ConfigError({.field = "adapter.targets"}, "the target " + json_quote(target) + ", which matches no module",
                      "names such as " + family.default_targets().front() + ", or all-linear");
  }
  modules_ = match_modules(family, options_.targets);
  for (const std::string& name : options_.saved) {
    const bool head = names(name, family.head_path());
    if (!head && !names(name, family.embedding_path())) {
      throw ConfigError({.field = "adapter.modules_to_save"}, json_quote(name),
                        family.head_path() + " or " + family.embedding_path() +
                            ", the modules beside the blocks; matrices of the blocks belong to targets");
    }
    (head ? head_ : embedding_) = head ? family.head_path() : family.embedding_path();
  }
  make_parameters(family, base);
  for (const std::string& path : modules_) {
    draw(parameters_.part(down_name(path)), options_.start, Random(seed, "init/" + down_name(path)));
    if (!options_.magnitudes) continue;
    parameters_.part(magnitude_name(path)).copy_(find_module(family, path).weight().square().sum(1).sqrt_());
  }
  if (options_.start == AdapterStart::principal) start_principal(family);
}

// Meng et al. 2024, equations 2 to 4: of W = U S V^T the r largest singular values, A = S^(1/2) V^T, B = U S^(1/2). The
// paper leaves the rest in the weights; here the weights stay and the start is taken away again, so that the model
// without its adapter is the model, and what is learned is plain factors (B A - B0 A0).
void Adapter::start_principal(Family& family) {
  const at::NoGradGuard no_grad;
  for (const std::string& path : modules_) {
    const Tensor weight = find_module(family, path).weight();
    if (options_.rank > std::min(weight.size(0), weight.size(1))) {
      throw ConfigError({.field = "adapter.rank"}, std::to_string(options_.rank) + " singular values of " + path,
                        "at most " + std::to_string(std::min(weight.size(0), weight.size(1))) + " under pissa");
    }
    const auto [u, s, v] = at::linalg_svd(weight, false);
    const Tensor root = (s.slice(0, 0, options_.rank) / options_.scale()).sqrt();
    parameters_.part(down_name(path)).copy_(v.slice(0, 0, options_.rank) * root.unsqueeze(1));
    parameters_.part(up_name(path)).copy_(u.slice(1, 0, options_.rank) * root);
  }
  for (const std::string& name : starts_.names()) starts_.part(name).copy_(parameters_.part(name));
}

void Adapter::bind(Family& family) const {
  unbind(family);
  const std::set<std::string> adapted(modules_.begin(), modules_.end());
  for (Linear* linear : family.linears()) {
    for (const Linear::Module& module : linear->modules) {
      if (!adapted.contains(module.path)) continue;
      const std::string down = down_name(module.path), up = up_name(module.path);
      LoraFactor factor{module.row_begin, module.row_end, parameters_.leaf_of(down), parameters_.leaf_of(up),
                        options_.scale()};
      if (options_.magnitudes) factor.magnitude = parameters_.leaf_of(magnitude_name(module.path));
      linear->factors.push_back(std::move(factor));
      if (starts_.size() == 0) continue;
      linear->factors.push_back(
          {module.row_begin, module.row_end, starts_.leaf_of(down), starts_.leaf_of(up), -options_.scale()});
    }
  }
}

void Adapter::unbind(Family& family) {
  for (Linear* linear : family.linears()) linear->factors.clear();
}

void Adapter::refresh(Family& family) {
  for (Linear* linear : family.linears()) {
    for (LoraFactor& factor : linear->factors) {
      if (factor.magnitude.defined()) factor.norm = row_norms(linear->weight, factor);
    }
  }
}

}  // namespace attune
