#include "attune/model/families.h"

#include "attune/base/errors.h"

namespace attune {
namespace {

const FamilyRow* const rows[] = {&families::llama,     &families::mistral,  &families::mixtral,   &families::qwen2,
                                 &families::qwen2_moe, &families::qwen3,    &families::qwen3_moe, &families::gemma,
                                 &families::gemma2,    &families::gemma3,   &families::phi,       &families::phi3,
                                 &families::gpt2,      &families::gpt_neox, &families::opt,       &families::olmo2,
                                 &families::smollm3,   &families::granite,  &families::cohere,    &families::starcoder2,
                                 &families::falcon};

}  // namespace

std::span<const FamilyRow* const> family_rows() { return rows; }

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

std::string stored_name(std::string_view file_name) {
  return file_name.ends_with(".rotary_emb.inv_freq") ? std::string() : std::string(file_name);
}

Json family_pages() {
  Json pages = Json::array();
  for (const FamilyRow* row : rows) {
    pages.push_back(Json::object({{"kind", "family"},
                                  {"name", std::string(row->model_type)},
                                  {"summary", std::string(row->summary)},
                                  {"formula", ""},
                                  {"paper", std::string(row->paper)},
                                  {"architecture", std::string(row->architecture)},
                                  {"classifier", std::string(row->classifier)},
                                  {"options", Json::object({{"properties", Json::object()}})}}));
  }
  return pages;
}

}  // namespace attune
