#include "attune/text/special_tokens.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "attune/base/errors.h"
#include "attune/base/json.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 7> roles = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                   "pad_token", "cls_token", "mask_token"};

bool present(const Path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

Json read_object(const Path& path) {
  if (!present(path)) return Json::object();
  try {
    Json value = Json::parse(read_file(path));
    if (!value.is_object()) throw FormatError({.file = path.string()}, std::string(value.type_name()), "an object");
    return value;
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = path.string()}, "no JSON (" + error.reason + ")", "one JSON object",
                      "fetch the file again");
  }
}

bool flag(const Json& object, std::string_view key, bool otherwise) {
  const Json* value = object.find(key);
  return value && value->is_bool() ? value->boolean() : otherwise;
}

// A token is written as its text, or as an object with its "content".
void add_roles(const Json& object, const Path& path, SpecialTokens& special) {
  for (const std::string_view role : roles) {
    const Json* value = object.find(role);
    if (!value || value->is_null()) continue;
    const Json* content = value->is_object() ? value->find("content") : value;
    if (!content || !content->is_string()) {
      throw FormatError({.file = path.string(), .field = std::string(role)}, std::string(value->type_name()),
                        "a string, an object with \"content\", or null");
    }
    const bool known = std::any_of(special.begin(), special.end(), [&](const auto& one) { return one.first == role; });
    if (!known && !content->string().empty()) special.emplace_back(role, content->string());
  }
}

std::vector<AddedToken> added_tokens_of(const Json& config, const Path& path) {
  std::vector<AddedToken> added;
  const Json* decoder = config.find("added_tokens_decoder");
  if (!decoder || !decoder->is_object()) return added;
  for (const auto& [key, value] : decoder->members()) {
    AddedToken token;
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), token.id);
    const Json* content = value.find("content");
    if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || token.id < 0 || !content ||
        !content->is_string() || content->string().empty()) {
      throw FormatError({.file = path.string(), .field = "added_tokens_decoder[" + std::to_string(added.size()) + "]"},
                        "no added token", "an id as key and an object with \"content\"");
    }
    token.content = content->string();
    token.special = flag(value, "special", false);
    token.single_word = flag(value, "single_word", false);
    token.lstrip = flag(value, "lstrip", false);
    token.rstrip = flag(value, "rstrip", false);
    token.normalized = flag(value, "normalized", !token.special);
    added.push_back(std::move(token));
  }
  return added;
}

std::vector<NamedTemplate> templates_of(const Path& folder, const Json& config, const Path& config_path) {
  std::vector<NamedTemplate> templates;
  if (const Path file = folder / "chat_template.jinja"; present(file)) {
    templates.push_back({"default", read_file(file), file.string()});
  }
  const Path more = folder / "additional_chat_templates";
  if (std::filesystem::is_directory(more)) {
    for (const std::string& name : list_directory(more)) {
      if (!name.ends_with(".jinja")) continue;
      templates.push_back({name.substr(0, name.size() - 6), read_file(more / name), (more / name).string()});
    }
  }
  const Json* own = config.find("chat_template");
  if (!templates.empty() || !own || own->is_null()) return templates;
  const std::string where = config_path.string();
  if (own->is_string()) return {{"default", own->string(), where}};
  const auto wrong = [&](const Json& value) -> FormatError {
    return FormatError({.file = where, .field = "chat_template"}, std::string(value.type_name()),
                       "a string, or a list of {\"name\", \"template\"}");
  };
  if (!own->is_array()) throw wrong(*own);
  for (const Json& item : own->items()) {
    const Json* name = item.find("name");
    const Json* text = item.find("template");
    if (!name || !text || !name->is_string() || !text->is_string()) throw wrong(item);
    templates.push_back({name->string(), text->string(), where});
  }
  return templates;
}

std::vector<std::int32_t> stop_ids_of(const Json& generation) {
  std::vector<std::int32_t> ids;
  const auto add = [&](const Json& value) {
    if (value.is_integer() && value.integer() >= 0 && value.integer() <= INT32_MAX) {
      ids.push_back(static_cast<std::int32_t>(value.integer()));
    }
  };
  if (const Json* eos = generation.find("eos_token_id")) {
    if (eos->is_array()) {
      std::for_each(eos->items().begin(), eos->items().end(), add);
    } else {
      add(*eos);
    }
  }
  return ids;
}

}  // namespace

TokenizerSettings read_tokenizer_settings(const Path& folder) {
  const Path config_path = folder / "tokenizer_config.json", map_path = folder / "special_tokens_map.json";
  const Json config = read_object(config_path);
  TokenizerSettings settings;
  add_roles(config, config_path, settings.special);
  add_roles(read_object(map_path), map_path, settings.special);
  settings.added = added_tokens_of(config, config_path);
  settings.templates = templates_of(folder, config, config_path);
  settings.stop_ids = stop_ids_of(read_object(folder / "generation_config.json"));
  const auto asked = [&](std::string_view key) -> std::optional<bool> {
    const Json* value = config.find(key);
    return value && value->is_bool() ? std::optional(value->boolean()) : std::nullopt;
  };
  settings.legacy = flag(config, "legacy", false);
  settings.add_bos = asked("add_bos_token");
  settings.add_eos = asked("add_eos_token");
  if (const Json* name = config.find("tokenizer_class"); name && name->is_string())
    settings.tokenizer_class = name->string();
  settings.any_file = present(config_path) || present(map_path);
  return settings;
}

}  // namespace attune
