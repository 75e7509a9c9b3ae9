// The table of families: one file of families/ each.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/model/config_reader.h"
#include "attune/model/family.h"

namespace attune {

struct FamilyRow {
  std::string_view model_type;
  std::string_view architecture;  // the class that the other side of the file format knows it by
  ModelConfig (*read_config)(const ConfigReader& reader) = nullptr;
  std::vector<ParameterSpec> (*parameters)(const ModelConfig& config) = nullptr;
  // Binds the pieces to parameters made from those specs, which must outlive it.
  std::unique_ptr<Family> (*bind)(const ModelConfig& config, const Parameters& parameters) = nullptr;
  // The name under which a file's tensor is stored here; empty for buffers that are no weights.
  std::string (*stored_name)(std::string_view file_name) = nullptr;
};

const FamilyRow* find_family(std::string_view model_type);  // nullptr when there is none
std::string family_names();                                 // for messages

// The parts of an unfused matrix and its bias: `<module>.weight`, and `<module>.bias` where there is one. Used by the
// files of families/.
struct MatrixSpec {
  std::vector<std::pair<std::string, std::int64_t>> modules = {};  // path and rows
  std::int64_t columns = 0;
  bool bias = false;
  bool transposed = false;
  double deviation = 0.02;
};
void add_matrix(std::vector<ParameterSpec>& specs, const MatrixSpec& matrix);
void add_norm(std::vector<ParameterSpec>& specs, const std::string& path, std::int64_t width, bool bias);
// The matrix whose first module is `module`.
Linear bind_linear(const Parameters& parameters, const std::string& module);

namespace families {
extern const FamilyRow llama, mistral, qwen2, gpt2;
}

}  // namespace attune
