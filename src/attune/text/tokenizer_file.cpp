#include "attune/text/tokenizer_file.h"

#include <unordered_map>
#include <unordered_set>

#include "attune/base/errors.h"
#include "attune/base/json.h"
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
    const Components components = {
        .normalizers = components_of(fields_, root_.find("normalizer"), "normalizer", "normalizers"),
        .splitters = components_of(fields_, root_.find("pre_tokenizer"), "pre_tokenizer", "pretokenizers"),
        .decoders = components_of(fields_, root_.find("decoder"), "decoder", "decoders")};
    read_added();
    read_post_processor(root_.find("post_processor"), "post_processor");
    assemble(result_, fields_, std::move(part_), components);
    return std::move(result_);
  }

 private:
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
      if (!ids || !ids->is_array())
        fields_.fail(item, "a special token that special_tokens does not define", "its ids");
      for (const Json& value : ids->items())
        (texts ? result_.behind : result_.before).push_back(fields_.id(value, item));
    }
    if (texts != 1) fields_.fail(field + ".single", std::to_string(texts) + " places for the text", "one");
  }

  const Json& root_;
  JsonFields fields_;
  ModelPart part_;
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

}  // namespace attune
