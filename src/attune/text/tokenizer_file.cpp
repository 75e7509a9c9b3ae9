#include "attune/text/tokenizer_file.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/text/byte_level.h"
#include "attune/text/pipeline/components.h"

namespace attune {
namespace {

constexpr std::size_t longest_added_token = 4096;  // bytes: keeps the search linear in the text

class Reader {
 public:
  Reader(const Json& root, const std::string& file) : root_(root), fields_(file) {}

  TokenizerFile read() {
    if (!root_.is_object()) fields_.fail("", std::string(root_.type_name()), "an object");
    part_ = read_model_part(fields_, fields_.object(root_, "", "model"));
    normalizers_ = components_of(fields_, root_.find("normalizer"), "normalizer", "normalizers");
    splitters_ = components_of(fields_, root_.find("pre_tokenizer"), "pre_tokenizer", "pretokenizers");
    decoders_ = components_of(fields_, root_.find("decoder"), "decoder", "decoders");
    read_added();
    read_post_processor(root_.find("post_processor"), "post_processor");
    if (const std::optional<PreTokenizer> known = known_splitters(); known && byte_decoder() && plain_bpe()) {
      result_.nfc = !normalizers_.empty();
      set_byte_level(result_, fields_, std::move(part_), *known);
    } else {
      set_pipeline();
    }
    return std::move(result_);
  }

 private:
  bool plain_bpe() const {
    return part_.kind == ModelPart::Kind::bpe && !part_.byte_fallback && part_.continuing_prefix.empty() &&
           part_.end_of_word.empty();
  }
  bool byte_decoder() const {
    return !decoders_.empty() && std::ranges::all_of(decoders_, [](const auto& one) { return one.type == "ByteLevel"; });
  }

  // What the fast way can do: NFC or nothing, then ByteLevel alone, behind Digits, or behind a known expression.
  std::optional<PreTokenizer> known_splitters() const {
    const bool only_nfc = std::ranges::all_of(normalizers_, [](const auto& one) { return one.type == "NFC"; });
    if (!only_nfc || splitters_.empty() || splitters_.size() > 2) return std::nullopt;
    const Component& last = splitters_.back();
    if (last.type != "ByteLevel") return std::nullopt;
    const bool own_expression = fields_.flag(*last.json, last.field, "use_regex", true);
    PreTokenizer result = {.pattern = own_expression ? WordPattern::gpt2 : WordPattern::everything};
    result.add_prefix_space = fields_.flag(*last.json, last.field, "add_prefix_space", true);
    if (splitters_.size() == 1) return result;
    const Component& first = splitters_.front();
    if (first.type == "Digits") {
      result.separate_digits = fields_.flag(*first.json, first.field, "individual_digits", false);
      return result.separate_digits ? std::optional(result) : std::nullopt;
    }
    if (first.type != "Split" || own_expression || result.add_prefix_space) return std::nullopt;
    const Json* pattern = first.json->find("pattern");
    const Json* expression = pattern ? pattern->find("Regex") : nullptr;
    const Json* behavior = first.json->find("behavior");
    if (!expression || !expression->is_string() || !behavior || !behavior->is_string()) return std::nullopt;
    const auto known = known_pattern(expression->string());
    if (!known || behavior->string() != "Isolated" || fields_.flag(*first.json, first.field, "invert", false))
      return std::nullopt;
    result.pattern = *known;
    return result;
  }

  void set_pipeline() {
    auto pipeline = std::make_shared<Pipeline>();
    for (const Component& one : normalizers_) pipeline->normalizer.push_back(normalizer_of(fields_, one));
    const auto byte_levels = std::ranges::count(splitters_, "ByteLevel", &Component::type);
    const bool bytes_last = byte_levels == 1 && splitters_.back().type == "ByteLevel" && plain_bpe();
    if (byte_levels > 0) require_bytes();
    for (const Component& one : splitters_) pipeline->splitter.push_back(splitter_of(fields_, one, !bytes_last));
    pipeline->model = bytes_last ? make_byte_model(part_) : make_model(part_);
    const bool bytes = byte_decoder();
    if (!bytes) {
      for (const Component& one : decoders_) pipeline->decoder.push_back(decoder_of(fields_, one));
      if (decoders_.empty()) pipeline->decoder.push_back(decoders::spaced());
    }
    for (ModelPart::Token& token : part_.tokens) {
      if (bytes) {
        if (std::optional<std::string> text = character_bytes(token.text)) token.text = std::move(*text);
      }
      result_.vocabulary.push_back({std::move(token.text), token.id});
    }
    result_.pipeline = std::move(pipeline);
  }

  // Bytes without a token would vanish from the text.
  void require_bytes() const {
    if (part_.kind != ModelPart::Kind::bpe || part_.unknown || part_.byte_fallback) return;
    const auto ids = byte_alphabet_ids(part_);
    const auto missing = std::find(ids.begin(), ids.end(), -1);
    if (missing == ids.end()) return;
    fields_.fail("model.vocab", "no token for byte " + std::to_string(missing - ids.begin()),
                 "a token for each of the 256 bytes");
  }

  void read_added() {
    const Json* tokens = root_.find("added_tokens");
    if (!JsonFields::given(tokens)) return;
    if (!tokens->is_array()) fields_.fail("added_tokens", std::string(tokens->type_name()), "an array");
    std::unordered_map<std::int32_t, std::string_view> by_id;
    for (const ModelPart::Token& token : part_.tokens) by_id.emplace(token.id, token.text);
    std::unordered_set<std::string_view> seen;
    for (std::size_t index = 0; index < tokens->size(); ++index) {
      const std::string field = JsonFields::entry("added_tokens", index);
      AddedToken added = added_token(tokens->items()[index], field);
      const std::string_view content = tokens->items()[index].find("content")->string();
      const auto same_text = part_.ids.find(added.content);
      const auto same_id = by_id.emplace(added.id, content);
      const bool other_id = same_text != part_.ids.end() && same_text->second != added.id;
      if (!seen.insert(content).second || other_id || same_id.first->second != content) {
        fields_.fail(field, "id " + std::to_string(added.id) + " for a second token, or a token with two ids",
                     "one id a token");
      }
      result_.added.push_back(std::move(added));
    }
  }

  AddedToken added_token(const Json& value, const std::string& field) const {
    if (!value.is_object()) fields_.fail(field, std::string(value.type_name()), "an object");
    const std::string& content = fields_.text(value, field, "content");
    if (content.empty()) fields_.fail(field, "an empty token", "at least one character");
    if (content.size() > longest_added_token) fields_.fail(field, "a token of more than 4096 bytes", "a shorter one");
    const Json* number = value.find("id");
    if (!number) fields_.fail(field + ".id", "nothing", "an id");
    AddedToken added = {.id = fields_.id(*number, field + ".id"), .content = content};
    added.special = fields_.flag(value, field, "special", false);
    added.single_word = fields_.flag(value, field, "single_word", false);
    added.lstrip = fields_.flag(value, field, "lstrip", false);
    added.rstrip = fields_.flag(value, field, "rstrip", false);
    added.normalized = fields_.flag(value, field, "normalized", !added.special);
    return added;
  }

  // ByteLevel here only trims offsets, which attune gives untrimmed: masks need every byte.
  void read_post_processor(const Json* processor, const std::string& field) {
    for (const Component& one : components_of(fields_, processor, field, "processors")) {
      if (one.type == "ByteLevel") continue;
      if (one.type == "TemplateProcessing") {
        read_template(*one.json, one.field);
      } else if (one.type == "BertProcessing" || one.type == "RobertaProcessing") {
        result_.before.push_back(id_of_pair(*one.json, one.field, "cls"));
        result_.behind.push_back(id_of_pair(*one.json, one.field, "sep"));
      } else {
        fields_.refuse(one.field + ".type", one.type);
      }
    }
  }

  // ["[CLS]", 101]
  std::int32_t id_of_pair(const Json& processor, const std::string& field, std::string_view key) const {
    const Json& pair = fields_.array(processor, field, key);
    if (pair.size() != 2) fields_.fail(JsonFields::join(field, key), "something else", "[token, id]");
    return fields_.id(pair.items()[1], JsonFields::join(field, key));
  }

  void read_template(const Json& processor, const std::string& field) {
    const auto pieces = fields_.sequence(processor, field, "single");
    std::size_t texts = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::string item = JsonFields::entry(field + ".single", i);
      if (pieces[i]->find("Sequence")) {
        ++texts;
        continue;
      }
      const Json& special = fields_.object(*pieces[i], item, "SpecialToken");
      const std::string& name = fields_.text(special, item, "id");
      const Json& known = fields_.object(processor, field, "special_tokens");
      const Json* definition = known.find(name);
      const Json* ids = definition ? definition->find("ids") : nullptr;
      if (!ids || !ids->is_array()) fields_.fail(item, "a special token that special_tokens does not define", "its ids");
      for (const Json& value : ids->items())
        (texts ? result_.behind : result_.before).push_back(fields_.id(value, item));
    }
    if (texts != 1) fields_.fail(field + ".single", std::to_string(texts) + " places for the text", "one");
  }

  const Json& root_;
  JsonFields fields_;
  ModelPart part_;
  std::vector<Component> normalizers_, splitters_, decoders_;
  TokenizerFile result_;
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

void set_byte_level(TokenizerFile& file, const JsonFields& fields, ModelPart part, const PreTokenizer& pre_tokenizer) {
  file.byte_ids = byte_alphabet_ids(part);
  const auto missing = std::find(file.byte_ids.begin(), file.byte_ids.end(), -1);
  if (missing != file.byte_ids.end()) {
    fields.fail("model.vocab", "no token for byte " + std::to_string(missing - file.byte_ids.begin()),
                "a token for each of the 256 bytes");
  }
  file.pre_tokenizer = pre_tokenizer;
  file.whole_words = part.whole_words;
  file.merges = std::move(part.merges);
  file.vocabulary.reserve(part.tokens.size());
  for (ModelPart::Token& token : part.tokens) {
    std::optional<std::string> bytes = character_bytes(token.text);
    file.vocabulary.push_back({bytes ? std::move(*bytes) : std::move(token.text), token.id});
  }
}

}  // namespace attune
