// "model" of tokenizer.json.
#include <algorithm>
#include <unordered_map>

#include "attune/text/model_part.h"

namespace attune {
namespace {

class ModelReader {
 public:
  ModelReader(const JsonFields& fields, const Json& model) : fields_(fields), model_(model) {}

  ModelPart read() {
    const std::string type = type_of();
    if (type == "BPE") {
      read_bpe();
    } else if (type == "Unigram") {
      read_unigram();
    } else if (type == "WordPiece") {
      part_.kind = ModelPart::Kind::word_piece;
      read_words();
      part_.continuing_prefix = fields_.text_or(model_, "model", "continuing_subword_prefix", "##");
      part_.longest_word = fields_.count(model_, "model", "max_input_chars_per_word", 100);
    } else if (type == "WordLevel") {
      part_.kind = ModelPart::Kind::word_level;
      read_words();
    } else {
      fields_.refuse("model.type", type);
    }
    return std::move(part_);
  }

 private:
  // Older files do not say.
  std::string type_of() const {
    if (const Json* type = model_.find("type"); JsonFields::given(type)) {
      return type->is_string() ? type->string() : std::string(type->type_name());
    }
    const Json* vocabulary = model_.find("vocab");
    if (vocabulary && vocabulary->is_array()) return "Unigram";
    if (model_.find("merges") || !vocabulary) return "BPE";
    return model_.find("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
  }

  void read_bpe() {
    part_.continuing_prefix = fields_.text_or(model_, "model", "continuing_subword_prefix", "");
    part_.end_of_word = fields_.text_or(model_, "model", "end_of_word_suffix", "");
    const Json* dropout = model_.find("dropout");
    if (JsonFields::given(dropout) && !(dropout->is_number() && dropout->number() == 0))
      fields_.fail("model.dropout", "a value", "none");
    part_.byte_fallback = fields_.flag(model_, "model", "byte_fallback", false);
    part_.fuse_unknown = fields_.flag(model_, "model", "fuse_unk", false);
    part_.whole_words = fields_.flag(model_, "model", "ignore_merges", false);
    read_vocabulary(fields_.object(model_, "model", "vocab"));
    read_merges(fields_.array(model_, "model", "merges"));
    if (const std::string unknown = fields_.text_or(model_, "model", "unk_token", ""); !unknown.empty())
      part_.unknown = token_of(unknown);
  }

  void read_words() {
    read_vocabulary(fields_.object(model_, "model", "vocab"));
    part_.unknown = token_of(fields_.text(model_, "model", "unk_token"));
  }

  std::int32_t token_of(const std::string& spelling) const {
    const auto found = part_.ids.find(spelling);
    if (found == part_.ids.end())
      fields_.fail("model.unk_token", "a token that model.vocab does not have", "one of its tokens");
    return found->second;
  }

  void read_vocabulary(const Json& vocabulary) {
    std::unordered_map<std::int32_t, std::size_t> owners;
    part_.tokens.reserve(vocabulary.size());
    part_.ids.reserve(vocabulary.size());
    for (const auto& [spelling, value] : vocabulary.members()) {
      const std::size_t index = part_.tokens.size();
      const std::string field = JsonFields::entry("model.vocab", index);
      const std::int32_t number = fields_.id(value, field);
      if (const auto [owner, fresh] = owners.emplace(number, index); !fresh) {
        fields_.fail(
            field, "id " + std::to_string(number) + " of " + JsonFields::entry("model.vocab", owner->second) + " again",
            "ids used once");
      }
      if (!part_.ids.emplace(spelling, number).second)
        fields_.fail(field, "a token for the second time", "tokens written once");
      part_.tokens.push_back({.text = spelling, .id = number});
    }
  }

  void read_unigram() {
    part_.kind = ModelPart::Kind::unigram;
    part_.byte_fallback = fields_.flag(model_, "model", "byte_fallback", false);
    const Json& vocabulary = fields_.array(model_, "model", "vocab");
    for (const Json& item : vocabulary.items()) {
      const std::string field = JsonFields::entry("model.vocab", part_.tokens.size());
      if (!item.is_array() || item.size() != 2 || !item.items()[0].is_string() || !item.items()[1].is_number())
        fields_.fail(field, "something else", "[token, score]");
      const auto number = static_cast<std::int32_t>(part_.tokens.size());
      part_.tokens.push_back({.text = item.items()[0].string(), .id = number, .score = item.items()[1].number()});
      part_.ids.insert_or_assign(item.items()[0].string(), number);
    }
    const std::size_t unknown = fields_.count(model_, "model", "unk_id", part_.tokens.size());
    if (unknown >= part_.tokens.size()) fields_.fail("model.unk_id", "no token's number", "one of model.vocab");
    part_.unknown = static_cast<std::int32_t>(unknown);
  }

  void read_merges(const Json& merges) {
    part_.merges.reserve(merges.size());
    std::string joined;
    for (const Json& merge : merges.items()) {
      const std::string field = JsonFields::entry("model.merges", part_.merges.size());
      const auto [left, right] = sides(merge, field);
      joined = left;
      joined += right.substr(std::min(part_.continuing_prefix.size(), right.size()));
      const auto rank = static_cast<std::int32_t>(part_.merges.size());
      part_.merges.push_back({merged(left, field), merged(right, field), merged(joined, field), rank});
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
    fields_.fail(field, "something else", "two tokens: \"a b\" or [\"a\", \"b\"]");
  }

  std::int32_t merged(std::string_view spelling, const std::string& field) {
    key_ = spelling;
    const auto found = part_.ids.find(key_);
    if (found == part_.ids.end()) {
      fields_.fail(field, "a merge with a token that model.vocab does not have",
                   "both sides and their union in model.vocab");
    }
    return found->second;
  }

  const JsonFields& fields_;
  const Json& model_;
  ModelPart part_;
  std::string key_;
};

}  // namespace

ModelPart read_model_part(const JsonFields& fields, const Json& model) { return ModelReader(fields, model).read(); }

}  // namespace attune
