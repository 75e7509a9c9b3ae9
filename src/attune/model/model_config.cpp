#include "attune/model/model_config.h"

#include "attune/base/errors.h"
#include "attune/model/config_reader.h"
#include "attune/model/families.h"

namespace attune {
namespace {

// Sizes beyond these are damage or an attack: a tensor's bytes stay below 2^53, so products cannot overflow.
constexpr std::int64_t most_layers = 4096, most_width = 1 << 20, most_vocabulary = 1 << 24, most_positions = 1 << 28;

void check_sizes(const ModelConfig& config, const ConfigReader& reader) {
  const auto within = [&](std::string_view what, std::int64_t value, std::int64_t most) {
    if (value < 1 || value > most) {
      reader.fail(what, std::to_string(value), "from 1 to " + std::to_string(most));
    }
  };
  within("the number of layers", config.layers, most_layers);
  within("the width", config.width, most_width);
  within("the feed-forward width", config.feed_forward, most_width * 4);
  within("vocab_size", config.vocabulary, most_vocabulary);
  within("the number of positions", config.max_positions, most_positions);
  within("the number of heads", config.heads, most_width);
  within("the number of key-value heads", config.kv_heads, config.heads);
  within("head_dim", config.head_width, most_width);
  if (config.heads * config.head_width > most_width) {
    reader.fail("the number of heads", std::to_string(config.heads), "heads of a common size");
  }
  if (config.heads % config.kv_heads != 0) {
    reader.fail("num_key_value_heads", std::to_string(config.kv_heads),
                "a divisor of the " + std::to_string(config.heads) + " heads");
  }
}

// A folder is a classifier's where its class is the family's classifier; labels and pad token as transformers counts
// them.
void read_labels(ModelConfig& config, const ConfigReader& reader, const FamilyRow& row) {
  config.pad_token = reader.integer("pad_token_id", -1);
  const Json* architectures = reader.find("architectures");
  const bool named = architectures != nullptr && architectures->is_array() && architectures->size() == 1 &&
                     architectures->items()[0].is_string();
  if (!named || row.classifier.empty() || architectures->items()[0].string() != row.classifier) return;
  const Json* names = reader.find("id2label");
  const auto named_labels = static_cast<std::int64_t>(names != nullptr && names->is_object() ? names->size() : 2);
  config.labels = reader.integer("num_labels", named_labels);
  if (config.labels < 1 || config.labels > most_width)
    reader.fail("num_labels", std::to_string(config.labels), "1 or more");
}

}  // namespace

ModelConfig parse_model_config(const Json& config, const Path& path) {
  const ConfigReader reader(config, path);
  const std::string type = reader.string("model_type", "");
  const FamilyRow* row = find_family(type);
  if (row == nullptr) {
    reader.fail("model_type", type.empty() ? "nothing" : json_quote(type), "one of " + family_names());
  }
  if (const Json* quantized = config.find("quantization_config"); quantized != nullptr && !quantized->is_null()) {
    reader.fail("quantization_config", "quantised weights", "weights in float32, bfloat16 or float16");
  }
  ModelConfig result = row->read_config(reader);
  read_labels(result, reader, *row);
  result.family = type;
  result.source = config;
  check_sizes(result, reader);
  return result;
}

ModelConfig read_model_config(const Path& path) {
  const Path file = std::filesystem::is_directory(path) ? path / "config.json" : path;
  try {
    return parse_model_config(Json::parse(read_file(file)), file);
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = file.string()}, "no valid JSON (" + error.reason + ")", "a model's config");
  }
}

ModelConfig classifier_config(ModelConfig config, const std::vector<std::string>& labels, const Path& path) {
  const FamilyRow& row = *find_family(config.family);
  if (row.classifier.empty()) {
    throw FormatError({.file = path.string(), .field = "model_type"}, json_quote(config.family),
                      "a family that has a class for sequence classification");
  }
  config.labels = std::ssize(labels);
  Json names = Json::object(), numbers = Json::object();
  for (std::int64_t label = 0; label < config.labels; ++label) {
    const std::string& name = labels[static_cast<std::size_t>(label)];
    names.set(std::to_string(label), name);
    numbers.set(name, label);
  }
  Json architectures = Json::array();
  architectures.push_back(std::string(row.classifier));
  config.source.set("architectures", std::move(architectures));
  config.source.set("id2label", std::move(names));
  config.source.set("label2id", std::move(numbers));
  return config;
}

void require_vocabulary(const ModelConfig& config, std::int64_t tokens, const Path& tokenizer) {
  if (tokens <= config.vocabulary) return;
  throw FormatError({.file = tokenizer.string()}, std::to_string(tokens) + " token ids",
                    "at most the " + std::to_string(config.vocabulary) + " rows of the model's embedding",
                    "use the tokenizer that belongs to the model");
}

}  // namespace attune
