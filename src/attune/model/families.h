// The table of families: one file of families/ each.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/model/config_reader.h"
#include "attune/model/family.h"

namespace attune {

// The name under which a file's tensor is stored here; empty for buffers that are no weights. This one drops the
// frequencies of rotary positions, which older files hold.
std::string stored_name(std::string_view file_name);

struct FamilyRow {
  std::string_view model_type = {};
  std::string_view architecture = {};  // the class that the other side of the file format knows it by
  std::string_view classifier = {};    // the one with a score head in its place; empty: the other side has none
  std::string_view summary = {};       // what sets it apart, in one sentence
  std::string_view paper = {};
  ModelConfig (*read_config)(const ConfigReader& reader) = nullptr;
  std::string (*stored_name)(std::string_view file_name) = attune::stored_name;
  std::vector<ParameterSpec> (*parameters)(const ModelConfig& config) = nullptr;
  // Binds the pieces to parameters made from those specs, which must outlive it.
  std::unique_ptr<Family> (*bind)(const ModelConfig& config, const Parameters& parameters) = nullptr;
};

std::span<const FamilyRow* const> family_rows();
const FamilyRow* find_family(std::string_view model_type);  // nullptr when there is none
std::string family_names();                                 // for messages
// A page a family, as those of other catalogues: for `attune parts family` and the documentation.
Json family_pages();

namespace families {
extern const FamilyRow llama, mistral, mixtral, qwen2, qwen2_moe, qwen3, qwen3_moe, gemma, gemma2, gemma3, phi, phi3,
    gpt2, gpt_neox, opt, olmo2, smollm3, granite, cohere, starcoder2, falcon;
}

}  // namespace attune
