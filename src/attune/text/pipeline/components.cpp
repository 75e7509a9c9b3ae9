#include "attune/text/pipeline/components.h"

#include <utility>

#include "attune/text/base64.h"
#include "attune/text/pipeline/precompiled_map.h"

namespace attune {
namespace {

constexpr int deepest = 16;  // Sequences in Sequences

void collect(const JsonFields& fields, const Json& json, const std::string& field, std::string_view key, int depth,
             std::vector<Component>& found) {
  if (!json.is_object()) fields.fail(field, std::string(json.type_name()), "an object");
  const std::string& type = fields.text(json, field, "type");
  if (type != "Sequence") {
    found.push_back({&json, field, type});
    return;
  }
  if (depth == deepest) fields.fail(field, "Sequences nested too deep", "a flat one");
  const auto items = fields.sequence(json, field, key);
  for (std::size_t i = 0; i < items.size(); ++i)
    collect(fields, *items[i], JsonFields::entry(field + "." + std::string(key), i), key, depth + 1, found);
}

Pattern pattern_of(const JsonFields& fields, const Component& component) {
  const Json& pattern = fields.object(*component.json, component.field, "pattern");
  const std::string field = component.field + ".pattern";
  if (pattern.find("String")) return fields.text(pattern, field, "String");
  return Regex::compile(fields.text(pattern, field, "Regex"), fields.where(field + ".Regex"));
}

splitters::Behavior behavior_of(const JsonFields& fields, const Component& component) {
  using enum splitters::Behavior;
  const std::string name = fields.text_or(*component.json, component.field, "behavior", "Isolated");
  constexpr std::pair<std::string_view, splitters::Behavior> known[] = {{"Removed", removed},
                                                                        {"Isolated", isolated},
                                                                        {"MergedWithPrevious", merged_with_previous},
                                                                        {"MergedWithNext", merged_with_next},
                                                                        {"Contiguous", contiguous}};
  for (const auto& [one, behavior] : known) {
    if (one == name) return behavior;
  }
  fields.refuse(component.field + ".behavior", name);
}

// prepend_scheme of today's files, add_prefix_space of older ones.
splitters::Prefix prefix_of(const JsonFields& fields, const Component& component) {
  using enum splitters::Prefix;
  const std::string otherwise =
      fields.flag(*component.json, component.field, "add_prefix_space", true) ? "always" : "never";
  const std::string name = fields.text_or(*component.json, component.field, "prepend_scheme", otherwise);
  if (name == "always") return always;
  if (name == "first") return first;
  if (name == "never") return never;
  fields.refuse(component.field + ".prepend_scheme", name);
}

std::string replacement_of(const JsonFields& fields, const Component& component) {
  std::string replacement = fields.text_or(*component.json, component.field, "replacement", "\u2581");
  if (replacement.empty()) fields.fail(component.field + ".replacement", "nothing", "a character");
  return replacement;
}

char32_t delimiter_of(const JsonFields& fields, const Component& component) {
  const std::string& text = fields.text(*component.json, component.field, "delimiter");
  const CodePoint c = code_point_at(text, 0);
  if (c.size == 0 || c.size != text.size()) fields.fail(component.field + ".delimiter", "no single character", "one");
  return c.value;
}

normalizers::Step precompiled_of(const JsonFields& fields, const Component& component) {
  const std::string field = component.field + ".precompiled_charsmap";
  const auto bytes = from_base64(fields.text(*component.json, component.field, "precompiled_charsmap"));
  if (!bytes) fields.fail(field, "no base64", "SentencePiece's compiled rules");
  return normalizers::precompiled(PrecompiledMap(*bytes, fields.where(field)));
}

normalizers::Step bert_of(const JsonFields& fields, const Component& component) {
  const auto flag = [&](const char* key, bool otherwise) {
    return fields.flag(*component.json, component.field, key, otherwise);
  };
  normalizers::Bert options = {.clean_text = flag("clean_text", true),
                               .handle_chinese_chars = flag("handle_chinese_chars", true),
                               .strip_accents = std::nullopt,
                               .lowercase = flag("lowercase", true)};
  if (JsonFields::given(component.json->find("strip_accents"))) options.strip_accents = flag("strip_accents", false);
  return normalizers::bert(options);
}

}  // namespace

std::vector<Component> components_of(const JsonFields& fields, const Json* root, const std::string& field,
                                     std::string_view key) {
  std::vector<Component> found;
  if (JsonFields::given(root)) collect(fields, *root, field, key, 0, found);
  return found;
}

normalizers::Step normalizer_of(const JsonFields& fields, const Component& component) {
  const auto& [json, field, type] = component;
  if (type == "NFC") return normalizers::form(NormalForm::nfc);
  if (type == "NFD") return normalizers::form(NormalForm::nfd);
  if (type == "NFKC") return normalizers::form(NormalForm::nfkc);
  if (type == "NFKD") return normalizers::form(NormalForm::nfkd);
  if (type == "Lowercase") return normalizers::lowercase();
  if (type == "StripAccents") return normalizers::strip_accents();
  if (type == "Nmt") return normalizers::nmt();
  if (type == "Prepend") return normalizers::prepend(fields.text(*json, field, "prepend"));
  if (type == "Strip")
    return normalizers::strip(fields.flag(*json, field, "strip_left", true),
                              fields.flag(*json, field, "strip_right", true));
  if (type == "Replace")
    return normalizers::replace(pattern_of(fields, component), fields.text(*json, field, "content"));
  if (type == "BertNormalizer") return bert_of(fields, component);
  if (type == "Precompiled") return precompiled_of(fields, component);
  fields.refuse(field + ".type", type);
}

splitters::Step splitter_of(const JsonFields& fields, const Component& component, bool as_characters) {
  const auto& [json, field, type] = component;
  const auto flag = [&](const char* key, bool otherwise) { return fields.flag(*json, field, key, otherwise); };
  if (type == "Split")
    return splitters::split(pattern_of(fields, component), behavior_of(fields, component), flag("invert", false));
  if (type == "ByteLevel")
    return splitters::byte_level(flag("add_prefix_space", true), flag("use_regex", true), as_characters);
  if (type == "Metaspace")
    return splitters::metaspace(replacement_of(fields, component), prefix_of(fields, component), flag("split", true));
  if (type == "Digits") return splitters::digits(flag("individual_digits", false));
  if (type == "Punctuation") return splitters::punctuation(behavior_of(fields, component));
  if (type == "Whitespace") return splitters::whitespace();
  if (type == "WhitespaceSplit") return splitters::whitespace_split();
  if (type == "BertPreTokenizer") return splitters::bert();
  if (type == "CharDelimiterSplit") return splitters::delimiter(delimiter_of(fields, component));
  fields.refuse(field + ".type", type);
}

decoders::Step decoder_of(const JsonFields& fields, const Component& component) {
  const auto& [json, field, type] = component;
  if (type == "ByteLevel") return decoders::byte_level();
  if (type == "ByteFallback") return decoders::byte_fallback();
  if (type == "Fuse") return decoders::fuse();
  if (type == "Metaspace")
    return decoders::metaspace(replacement_of(fields, component),
                               prefix_of(fields, component) != splitters::Prefix::never);
  if (type == "WordPiece")
    return decoders::word_piece(fields.text_or(*json, field, "prefix", "##"),
                                fields.flag(*json, field, "cleanup", true));
  if (type == "BPEDecoder") return decoders::suffix(fields.text_or(*json, field, "suffix", "</w>"));
  if (type == "Replace") return decoders::replace(pattern_of(fields, component), fields.text(*json, field, "content"));
  if (type == "Strip") {
    return decoders::strip(fields.text(*json, field, "content"), fields.count(*json, field, "start", 0),
                           fields.count(*json, field, "stop", 0));
  }
  fields.refuse(field + ".type", type);
}

}  // namespace attune
