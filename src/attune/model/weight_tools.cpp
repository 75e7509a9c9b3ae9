#include "attune/model/weight_tools.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "attune/base/errors.h"
#include "attune/model/weight_files.h"

namespace attune {
namespace {

double inner_product(const Tensor& a, const Tensor& b) { return (a * b).sum(at::kDouble).item<double>(); }

void check_output(std::span<const Path> folders, const Path& out) {
  if (!std::filesystem::exists(out)) return;
  for (const Path& folder : folders) {
    if (!std::filesystem::exists(folder) || !std::filesystem::equivalent(out, folder)) continue;
    throw OutputError({.file = out.string()}, "the folder of one of the models", "another one");
  }
  for (const std::string& name : list_directory(out)) {
    if (Path(name).extension() != ".safetensors") continue;
    throw OutputError({.file = out.string()}, "a folder that holds weights already", "a new or an empty one");
  }
}

void check_same_tensors(std::span<const Path> folders, const std::vector<SafetensorsFolder>& sources) {
  const auto names = sources.front().names();
  for (std::size_t i = 1; i < sources.size(); ++i) {
    ProblemList problems;
    for (const std::string& name : names) {
      const StoredTensor *ours = sources.front().find(name), *theirs = sources[i].find(name);
      if (theirs == nullptr) {
        problems.add(name + " is missing");
      } else if (ours->shape != theirs->shape) {
        problems.add(name + " has shape " + shape_text(theirs->shape) + " instead of " + shape_text(ours->shape));
      }
    }
    for (const std::string& name : sources[i].names()) {
      if (sources.front().find(name) == nullptr) problems.add(name + " is too much");
    }
    problems.raise(folders[i], "the tensors of " + folders.front().string(),
                   "combine models that were trained from the same one");
  }
}

// The rule's result in the first model's element type.
Tensor combined(const std::string& name, const std::vector<SafetensorsFolder>& sources, const WeightRule& rule,
                const Path& out) {
  const Tensor first = sources.front().view(name);
  if (!first.is_floating_point()) return first.clone();
  std::vector<Tensor> tensors;
  at::ScalarType compute = at::kFloat;
  for (const auto& source : sources) {
    if (source.find(name)->dtype == at::kDouble) compute = at::kDouble;
  }
  for (const auto& source : sources) tensors.push_back(source.view(name).to(compute));
  const Tensor result = rule(tensors).to(first.scalar_type());
  if (!at::isfinite(result).all().item<bool>()) {
    throw FormatError({.file = out.string(), .field = name}, "values that are not finite in the combined tensor",
                      "finite weights", "check the models, and choose a smaller step");
  }
  return result.is_alias_of(first) ? result.clone() : result;  // the mapping may go before the result does
}

}  // namespace

Tensor soup(std::span<const Tensor> models, std::span<const double> weights) {
  require(!models.empty() && models.size() == weights.size(), "a soup needs one weight a model");
  double total = 0;
  for (const double weight : weights) total += weight;
  require(total > 0, "a soup's weights must not all be 0");
  Tensor result = at::zeros_like(models.front());
  for (std::size_t i = 0; i < models.size(); ++i) result.add_(models[i], weights[i] / total);
  return result;
}

Tensor extrapolate(const Tensor& aligned, const Tensor& start, double alpha) {
  return aligned + alpha * (aligned - start);
}

Tensor slerp(const Tensor& a, const Tensor& b, double t) {
  constexpr double least_sine = 1e-6;  // below, rounding decides where the arc goes
  const double norms = std::sqrt(inner_product(a, a)) * std::sqrt(inner_product(b, b));
  const double angle = norms > 0 ? std::acos(std::clamp(inner_product(a, b) / norms, -1.0, 1.0)) : 0;
  const double sine = std::sin(angle);
  if (sine < least_sine) return (1 - t) * a + t * b;
  return std::sin((1 - t) * angle) / sine * a + std::sin(t * angle) / sine * b;
}

Tensor warp(const Tensor& start, std::span<const Tensor> policies, double eta) {
  require(!policies.empty(), "WARP of no policies");
  Tensor merged = policies.front() - start;
  for (std::size_t i = 1; i < policies.size(); ++i) {
    merged = slerp(merged, policies[i] - start, 1 / static_cast<double>(i + 1));
  }
  return start + eta * merged;
}

void combine_folders(Fs& fs, std::span<const Path> folders, const Path& out, const WeightRule& rule) {
  require(!folders.empty(), "combining no models");
  check_output(folders, out);
  std::vector<SafetensorsFolder> sources;
  for (const Path& folder : folders) sources.push_back(open_weights(folder));
  check_same_tensors(folders, sources);
  std::map<std::string, std::vector<std::string>> files;  // file name -> its tensors
  for (const std::string& name : sources.front().names()) {
    files[sources.front().file_of(name).filename().string()].push_back(name);
  }
  fs.make_directories(out);
  for (const auto& [file, names] : files) {
    std::vector<NamedTensor> tensors;
    for (const std::string& name : names) tensors.push_back({name, combined(name, sources, rule, out)});
    write_safetensors(fs, out / file, std::move(tensors));
  }
  // The config last: before it, the folder is no model.
  std::vector<const char*> beside = {"generation_config.json", "config.json"};
  if (!files.contains("model.safetensors")) beside.insert(beside.begin(), "model.safetensors.index.json");
  for (const char* name : beside) {
    const Path from = folders.front() / name;
    if (std::filesystem::exists(from)) write_durably(fs, out / name, read_file(from));
  }
}

}  // namespace attune
