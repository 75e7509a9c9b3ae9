#include "attune/text/files/families.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "attune/text/pre_tokenizer.h"

namespace attune {
namespace {

constexpr std::string_view o200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view tekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view deepseek_v3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

Json split(std::string_view expression) {
  return Json::object({{"type", "Split"},
                       {"pattern", Json::object({{"Regex", expression}})},
                       {"behavior", "Isolated"},
                       {"invert", false}});
}
Json digits(bool individual) { return Json::object({{"type", "Digits"}, {"individual_digits", individual}}); }
Json byte_level(bool own_expression) {
  return Json::object(
      {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", own_expression}});
}
Json sequence(std::initializer_list<Json> steps) {
  return Json::object({{"type", "Sequence"}, {"pretokenizers", Json::Array(steps)}});
}

Json splits_of(std::string_view name) {
  if (name == "llama3") return sequence({split(pattern_text(WordPattern::llama3)), byte_level(false)});
  if (name == "qwen2") return sequence({split(pattern_text(WordPattern::qwen2)), byte_level(false)});
  if (name == "o200k") return sequence({split(o200k), byte_level(false)});
  if (name == "tekken") return sequence({split(tekken), byte_level(false)});
  if (name == "digits") return sequence({digits(true), byte_level(true)});
  if (name == "falcon") {
    const Json punctuation = Json::object({{"type", "Punctuation"}, {"behavior", "Contiguous"}});
    return sequence({punctuation, byte_level(true), digits(false), split("[0-9][0-9][0-9]")});
  }
  if (name == "deepseek-coder") {
    return sequence({split("[\r\n]"), split(R"(\s?\p{L}+)"), split(R"(\s?\p{P}+)"), split("[一-龥ࠀ-一가-퟿]+"),
                     digits(true), byte_level(false)});
  }
  if (name == "deepseek-v3") {
    return sequence({split(R"(\p{N}{1,3})"), split("[一-龥぀-ゟ゠-ヿ]+"), split(deepseek_v3), byte_level(false)});
  }
  return byte_level(true);
}

struct Row {
  std::string_view name, splits;
  bool nfc = false, whole_words = false;
};
constexpr Row rows[] = {
    {"gpt-2", "gpt2"},
    {"default", "gpt2"},
    {"phi-2", "gpt2"},
    {"roberta-bpe", "gpt2"},
    {"gpt2", "gpt2"},
    {"p50k_base", "gpt2"},
    {"mpt", "gpt2", true},
    {"olmo", "gpt2", true},
    {"llama-bpe", "llama3", false, true},
    {"llama3", "llama3", false, true},
    {"dbrx", "llama3"},
    {"cl100k_base", "llama3", false, true},
    {"smaug-bpe", "llama3", false, true},
    {"qwen2", "qwen2", true},
    {"deepseek-r1-qwen", "qwen2"},
    {"stablelm2", "qwen2"},
    {"gpt-4o", "o200k"},
    {"o200k_base", "o200k", false, true},
    {"llama4", "o200k"},
    {"tekken", "tekken", false, true},
    {"starcoder", "digits"},
    {"refact", "digits"},
    {"codeshell", "digits"},
    {"smollm", "digits"},
    {"command-r", "digits", true},
    {"falcon", "falcon"},
    {"deepseek-coder", "deepseek-coder"},
    {"deepseek-v3", "deepseek-v3"},
};

}  // namespace

std::optional<ByteLevelFamily> byte_level_family(std::string_view name) {
  const auto row = std::ranges::find(rows, name, &Row::name);
  if (row == std::end(rows)) return std::nullopt;
  ByteLevelFamily family = {.pre_tokenizer = splits_of(row->splits), .normalizer = {}, .whole_words = row->whole_words};
  if (row->nfc) family.normalizer = Json::object({{"type", "NFC"}});
  return family;
}

}  // namespace attune
