#include "attune/text/tokenizer_file.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/text/byte_level.h"

namespace attune {
namespace {

constexpr std::int64_t largest_id = (1 << 24) - 1;  // a table by id of a lying file stays below 0.5 GiB
constexpr std::size_t longest_added_token = 4096;   // bytes: keeps the search linear in the text
constexpr std::string_view supported_kinds =
    "byte-level BPE: normalizer NFC or none; pre-tokenizer ByteLevel, Digits + ByteLevel, or Split with the Llama-3 or "
    "Qwen2 expression + ByteLevel; post-processor ByteLevel or TemplateProcessing; decoder ByteLevel";

class Reader {
 public:
  Reader(const Json& root, const std::string& file) : root_(root), file_(file) {}

  TokenizerFile read() {
    if (!root_.is_object()) fail("", std::string(root_.type_name()), "an object");
    read_model(part(root_, "", "model", true));
    read_added();
    read_normalizer(root_.find("normalizer"), "normalizer");
    read_pre_tokenizer(part(root_, "", "pre_tokenizer", true));
    read_post_processor(root_.find("post_processor"), "post_processor");
    read_decoder(part(root_, "", "decoder", true), "decoder");
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(std::string field, std::string found, std::string expected = {},
                         std::string remedy = {}) const {
    throw FormatError({.file = file_, .field = std::move(field)}, std::move(found), std::move(expected),
                      std::move(remedy));
  }
  [[noreturn]] void refuse(const std::string& field, const std::string& kind) const {
    fail(field, "the kind " + json_quote(kind), std::string(supported_kinds), "use a tokenizer of a supported kind");
  }

  static std::string join(const std::string& field, std::string_view key) {
    return field.empty() ? std::string(key) : field + "." + std::string(key);
  }
  static std::string entry(const std::string& field, std::size_t index) {
    return field + "[" + std::to_string(index) + "]";
  }
  static bool given(const Json* value) { return value && !value->is_null(); }

  const Json& part(const Json& parent, const std::string& field, std::string_view key, bool object) const {
    const Json* value = parent.find(key);
    if (!given(value)) fail(join(field, key), "nothing", object ? "an object" : "an array");
    if (object ? !value->is_object() : !value->is_array()) {
      fail(join(field, key), std::string(value->type_name()), object ? "an object" : "an array");
    }
    return *value;
  }
  const std::string& text(const Json& parent, const std::string& field, std::string_view key) const {
    const Json* value = parent.find(key);
    if (!value || !value->is_string()) {
      fail(join(field, key), value ? std::string(value->type_name()) : "nothing", "a string");
    }
    return value->string();
  }
  bool flag(const Json& parent, const std::string& field, std::string_view key, bool otherwise) const {
    const Json* value = parent.find(key);
    if (!given(value)) return otherwise;
    if (!value->is_bool()) fail(join(field, key), std::string(value->type_name()), "true or false");
    return value->boolean();
  }
  std::int32_t id(const Json& value, const std::string& field) const {
    if (!value.is_integer() || value.integer() < 0 || value.integer() > largest_id) {
      fail(field, value.is_integer() ? "id " + std::to_string(value.integer()) : std::string(value.type_name()),
           "an id from 0 to " + std::to_string(largest_id));
    }
    return static_cast<std::int32_t>(value.integer());
  }
  std::vector<const Json*> sequence(const Json& value, const std::string& field, std::string_view key) const {
    std::vector<const Json*> items;
    for (const Json& item : part(value, field, key, false).items()) {
      if (!item.is_object()) fail(entry(join(field, key), items.size()), std::string(item.type_name()), "an object");
      items.push_back(&item);
    }
    return items;
  }

  void read_model(const Json& model) {
    const Json* type = model.find("type");  // old GPT-2 files have none
    if (given(type) && !(type->is_string() && type->string() == "BPE")) {
      refuse("model.type", type->is_string() ? type->string() : std::string(type->type_name()));
    }
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      const Json* value = model.find(key);
      if (given(value) && !(value->is_string() && value->string().empty())) fail(join("model", key), "a value", "none");
    }
    const Json* dropout = model.find("dropout");
    if (given(dropout) && !(dropout->is_number() && dropout->number() == 0)) fail("model.dropout", "a value", "none");
    if (flag(model, "model", "byte_fallback", false)) refuse("model.byte_fallback", "SentencePiece bytes");
    result_.whole_words = flag(model, "model", "ignore_merges", false);
    read_vocabulary(part(model, "model", "vocab", true));
    read_merges(part(model, "model", "merges", false));
  }

  void read_vocabulary(const Json& vocabulary) {
    std::unordered_map<std::int32_t, std::size_t> owners;
    result_.byte_ids.fill(-1);
    result_.vocabulary.reserve(vocabulary.size());
    spellings_.reserve(vocabulary.size());
    for (const auto& [spelling, value] : vocabulary.members()) {
      const std::size_t index = result_.vocabulary.size();
      const std::string field = entry("model.vocab", index);
      const std::int32_t number = id(value, field);
      if (const auto [owner, fresh] = owners.emplace(number, index); !fresh) {
        fail(field, "id " + std::to_string(number) + " of " + entry("model.vocab", owner->second) + " again",
             "ids used once");
      }
      if (!spellings_.emplace(spelling, number).second)
        fail(field, "a token for the second time", "tokens written once");
      const std::optional<std::string> bytes = character_bytes(spelling);
      if (bytes && bytes->size() == 1) result_.byte_ids[static_cast<unsigned char>(bytes->front())] = number;
      result_.vocabulary.push_back({bytes.value_or(spelling), number});
    }
    const auto missing = std::find(result_.byte_ids.begin(), result_.byte_ids.end(), -1);
    if (missing != result_.byte_ids.end()) {
      fail("model.vocab", "no token for byte " + std::to_string(missing - result_.byte_ids.begin()),
           "a token for each of the 256 bytes");
    }
  }

  void read_merges(const Json& merges) {
    result_.merges.reserve(merges.size());
    std::string joined;
    for (const Json& merge : merges.items()) {
      const std::string field = entry("model.merges", result_.merges.size());
      const auto [left, right] = sides(merge, field);
      joined = left;
      joined += right;
      result_.merges.push_back({token(left, field), token(right, field), token(joined, field)});
    }
  }

  // "a b" of older files, ["a", "b"] of newer ones.
  std::pair<std::string_view, std::string_view> sides(const Json& merge, const std::string& field) const {
    if (merge.is_string()) {
      const std::string_view text = merge.string();
      const std::size_t blank = text.find(' ');
      if (blank != text.npos && text.find(' ', blank + 1) == text.npos)
        return {text.substr(0, blank), text.substr(blank + 1)};
    } else if (merge.is_array() && merge.size() == 2 && merge.items()[0].is_string() && merge.items()[1].is_string()) {
      return {merge.items()[0].string(), merge.items()[1].string()};
    }
    fail(field, "something else", "two tokens: \"a b\" or [\"a\", \"b\"]");
  }

  std::int32_t token(std::string_view spelling, const std::string& field) {
    key_ = spelling;
    const auto found = spellings_.find(key_);
    if (found == spellings_.end()) {
      fail(field, "a merge with a token that model.vocab does not have", "both sides and their union in model.vocab");
    }
    return found->second;
  }

  void read_added() {
    const Json* tokens = root_.find("added_tokens");
    if (!given(tokens)) return;
    if (!tokens->is_array()) fail("added_tokens", std::string(tokens->type_name()), "an array");
    std::unordered_map<std::int32_t, std::string_view> by_id;
    for (const auto& [spelling, number] : spellings_) by_id.emplace(number, spelling);
    std::unordered_set<std::string_view> seen;
    for (std::size_t index = 0; index < tokens->size(); ++index) {
      const Json& value = tokens->items()[index];
      const std::string field = entry("added_tokens", index);
      if (!value.is_object()) fail(field, std::string(value.type_name()), "an object");
      const std::string& content = text(value, field, "content");
      if (content.empty()) fail(field, "an empty token", "at least one character");
      if (content.size() > longest_added_token) fail(field, "a token of more than 4096 bytes", "a shorter one");
      const Json* number = value.find("id");
      if (!number) fail(field + ".id", "nothing", "an id");
      AddedToken added = {.id = id(*number, field + ".id"), .content = content};
      added.special = flag(value, field, "special", false);
      added.single_word = flag(value, field, "single_word", false);
      added.lstrip = flag(value, field, "lstrip", false);
      added.rstrip = flag(value, field, "rstrip", false);
      added.normalized = flag(value, field, "normalized", !added.special);
      const auto same_text = spellings_.find(content);
      const auto same_id = by_id.emplace(added.id, content);
      const bool other_id = same_text != spellings_.end() && same_text->second != added.id;
      if (!seen.insert(content).second || other_id || same_id.first->second != content) {
        fail(field, "id " + std::to_string(added.id) + " for a second token, or a token with two ids",
             "one id a token");
      }
      result_.added.push_back(std::move(added));
    }
  }

  void read_normalizer(const Json* normalizer, const std::string& field) {
    if (!given(normalizer)) return;
    const std::string& type = text(*normalizer, field, "type");
    if (type == "NFC") {
      result_.nfc = true;
    } else if (type == "Sequence") {
      const auto items = sequence(*normalizer, field, "normalizers");
      for (std::size_t i = 0; i < items.size(); ++i) read_normalizer(items[i], entry(field + ".normalizers", i));
    } else {
      refuse(field + ".type", type);
    }
  }

  void read_pre_tokenizer(const Json& pre_tokenizer) {
    const std::string field = "pre_tokenizer";
    const std::string& type = text(pre_tokenizer, field, "type");
    if (type == "ByteLevel") return read_byte_level(pre_tokenizer, field, std::nullopt);
    if (type != "Sequence") refuse(field + ".type", type);
    std::optional<WordPattern> split;
    bool complete = false;
    const auto items = sequence(pre_tokenizer, field, "pretokenizers");
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string item_field = entry(field + ".pretokenizers", i);
      const std::string& kind = text(*items[i], item_field, "type");
      if (kind == "Digits" && i == 0 && flag(*items[i], item_field, "individual_digits", false)) {
        result_.pre_tokenizer.separate_digits = true;
      } else if (kind == "Split" && i == 0) {
        split = read_split(*items[i], item_field);
      } else if (kind == "ByteLevel" && i == items.size() - 1) {
        read_byte_level(*items[i], item_field, split);
        complete = true;
      } else {
        refuse(item_field + ".type", kind);
      }
    }
    if (!complete) fail(field, "no ByteLevel at the end", std::string(supported_kinds));
  }

  WordPattern read_split(const Json& split, const std::string& field) const {
    if (text(split, field, "behavior") != "Isolated") refuse(field + ".behavior", text(split, field, "behavior"));
    if (flag(split, field, "invert", false)) refuse(field + ".invert", "true");
    const Json& pattern = part(split, field, "pattern", true);
    const Json* expression = pattern.find("Regex");
    if (!expression || !expression->is_string()) fail(field + ".pattern", "no regular expression", "{\"Regex\": ...}");
    const auto known = known_pattern(expression->string());
    if (!known) {
      fail(field + ".pattern.Regex", "an unknown regular expression", "the exact text of Llama-3's or Qwen2's",
           "use a tokenizer of a supported kind");
    }
    return *known;
  }

  void read_byte_level(const Json& byte_level, const std::string& field, std::optional<WordPattern> split) {
    const bool own_expression = flag(byte_level, field, "use_regex", true);
    if (split && own_expression)
      refuse(field + ".use_regex", "Split and the expression of ByteLevel one after the other");
    result_.pre_tokenizer.pattern = split ? *split : own_expression ? WordPattern::gpt2 : WordPattern::everything;
    result_.pre_tokenizer.add_prefix_space = flag(byte_level, field, "add_prefix_space", true);
    if (split && result_.pre_tokenizer.add_prefix_space)
      refuse(field + ".add_prefix_space", "a blank before every word");
  }

  // ByteLevel here only trims offsets, which attune gives untrimmed: masks need every byte.
  void read_post_processor(const Json* processor, const std::string& field) {
    if (!given(processor)) return;
    const std::string& type = text(*processor, field, "type");
    if (type == "ByteLevel") return;
    if (type == "TemplateProcessing") return read_template(*processor, field);
    if (type != "Sequence") refuse(field + ".type", type);
    const auto items = sequence(*processor, field, "processors");
    for (std::size_t i = 0; i < items.size(); ++i) read_post_processor(items[i], entry(field + ".processors", i));
  }

  void read_template(const Json& processor, const std::string& field) {
    const auto pieces = sequence(processor, field, "single");
    std::size_t texts = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::string item = entry(field + ".single", i);
      if (pieces[i]->find("Sequence")) {
        ++texts;
        continue;
      }
      const Json& special = part(*pieces[i], item, "SpecialToken", true);
      const std::string& name = text(special, item, "id");
      const Json& known = part(processor, field, "special_tokens", true);
      const Json* definition = known.find(name);
      const Json* ids = definition ? definition->find("ids") : nullptr;
      if (!ids || !ids->is_array()) fail(item, "a special token that special_tokens does not define", "its ids");
      for (const Json& value : ids->items()) (texts ? result_.behind : result_.before).push_back(id(value, item));
    }
    if (texts != 1) fail(field + ".single", std::to_string(texts) + " places for the text", "one");
  }

  void read_decoder(const Json& decoder, const std::string& field) {
    const std::string& type = text(decoder, field, "type");
    if (type == "ByteLevel") return;
    if (type != "Sequence") refuse(field + ".type", type);
    const auto items = sequence(decoder, field, "decoders");
    if (items.empty()) fail(field, "an empty Sequence", "ByteLevel");
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string item = entry(field + ".decoders", i);
      if (text(*items[i], item, "type") != "ByteLevel") refuse(item + ".type", text(*items[i], item, "type"));
    }
  }

  const Json& root_;
  std::string file_;
  TokenizerFile result_;
  std::unordered_map<std::string, std::int32_t> spellings_;  // model.vocab
  std::string key_;
};

}  // namespace

TokenizerFile read_tokenizer_json(std::string_view json, const std::string& file) {
  Json root;
  try {
    root = Json::parse(json);
  } catch (const JsonSyntaxError& error) {
    throw FormatError({.file = file}, "no JSON (" + error.reason + ")", "a whole tokenizer.json",
                      "fetch the file again");
  }
  return Reader(root, file).read();
}

std::string write_tokenizer_json(const ByteLevelTokenizer& tokenizer) {
  Json vocabulary = Json::object();
  std::unordered_set<std::string> known;
  const auto add = [&](const std::string& bytes) {
    require(known.insert(bytes).second, "each token of a written tokenizer arises once");
    const std::size_t id = vocabulary.size();
    vocabulary.members().emplace_back(byte_characters(bytes), id);
  };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(static_cast<unsigned char>(byte))));
  Json merges = Json::array();
  for (const auto& [left, right] : tokenizer.merges) {
    require(known.contains(left) && known.contains(right), "a merge joins earlier tokens");
    add(left + right);
    merges.push_back(Json::Array{byte_characters(left), byte_characters(right)});
  }
  Json added = Json::array();
  for (const std::string& content : tokenizer.special) {
    added.push_back(Json::object({{"id", vocabulary.size() + added.size()},
                                  {"content", content},
                                  {"single_word", false},
                                  {"lstrip", false},
                                  {"rstrip", false},
                                  {"normalized", false},
                                  {"special", true}}));
  }
  const bool own_expression = tokenizer.pattern == WordPattern::gpt2;
  Json byte_level = Json::object(
      {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", own_expression}});
  Json pre_tokenizer = byte_level;
  if (const std::string_view text = pattern_text(tokenizer.pattern); !text.empty()) {
    pre_tokenizer =
        Json::object({{"type", "Sequence"},
                      {"pretokenizers", Json::Array{Json::object({{"type", "Split"},
                                                                  {"pattern", Json::object({{"Regex", text}})},
                                                                  {"behavior", "Isolated"},
                                                                  {"invert", false}}),
                                                    byte_level}}});
  }
  Json decoder =
      Json::object({{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}});
  Json model = Json::object({{"type", "BPE"},
                             {"dropout", nullptr},
                             {"unk_token", nullptr},
                             {"continuing_subword_prefix", nullptr},
                             {"end_of_word_suffix", nullptr},
                             {"fuse_unk", false},
                             {"byte_fallback", false},
                             {"ignore_merges", false},
                             {"vocab", std::move(vocabulary)},
                             {"merges", std::move(merges)}});
  const Json root = Json::object({{"version", "1.0"},
                                  {"truncation", nullptr},
                                  {"padding", nullptr},
                                  {"added_tokens", std::move(added)},
                                  {"normalizer", nullptr},
                                  {"pre_tokenizer", std::move(pre_tokenizer)},
                                  {"post_processor", nullptr},
                                  {"decoder", std::move(decoder)},
                                  {"model", std::move(model)}});
  return root.str(1) + "\n";
}

}  // namespace attune
