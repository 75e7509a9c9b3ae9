#include "attune/model/families.h"

#include "attune/base/errors.h"

namespace attune {
namespace {

const FamilyRow* const rows[] = {&families::llama, &families::mistral, &families::qwen2, &families::gpt2};

constexpr std::string_view weight_suffix = ".weight";

}  // namespace

const FamilyRow* find_family(std::string_view model_type) {
  for (const FamilyRow* row : rows) {
    if (row->model_type == model_type) return row;
  }
  return nullptr;
}

std::string family_names() {
  std::string names;
  for (const FamilyRow* row : rows) names += (names.empty() ? "" : ", ") + std::string(row->model_type);
  return names;
}

void add_matrix(std::vector<ParameterSpec>& specs, const MatrixSpec& matrix) {
  ParameterSpec weight{.shape = {0, matrix.columns}, .parts = {}, .initial = {.deviation = matrix.deviation}};
  ParameterSpec bias{.shape = {0}, .parts = {}, .initial = {}};
  for (const auto& [path, size] : matrix.modules) {
    weight.parts.push_back({path + ".weight", size, matrix.transposed});
    bias.parts.push_back({path + ".bias", size, false});
    weight.shape[0] += size;
    bias.shape[0] += size;
  }
  specs.push_back(std::move(weight));
  if (matrix.bias) specs.push_back(std::move(bias));
}

void add_norm(std::vector<ParameterSpec>& specs, const std::string& path, std::int64_t width, bool bias) {
  specs.push_back({{width}, {{path + ".weight", width, false}}, {.constant = 1}});
  if (bias) specs.push_back({{width}, {{path + ".bias", width, false}}, {}});
}

Linear bind_linear(const Parameters& parameters, const std::string& module) {
  Linear linear{.weight = parameters.leaf_of(module + ".weight"), .bias = {}};
  if (parameters.contains(module + ".bias")) linear.bias = parameters.leaf_of(module + ".bias");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters.leaf(i).is_same(linear.weight)) continue;
    std::int64_t row = 0;
    for (const ParameterPart& part : parameters.spec(i).parts) {
      const std::string path = part.name.substr(0, part.name.size() - weight_suffix.size());
      linear.modules.push_back({path, row, row + part.rows, part.transposed});
      row += part.rows;
    }
  }
  return linear;
}

}  // namespace attune
