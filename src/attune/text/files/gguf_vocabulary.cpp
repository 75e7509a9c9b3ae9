#include "attune/text/files/gguf_vocabulary.h"

#include <algorithm>

#include "attune/text/files/families.h"
#include "attune/text/files/gguf_metadata.h"
#include "attune/text/files/sentence_pieces.h"

namespace attune {
namespace {

constexpr std::int64_t control_type = 3, user_defined_type = 4, unused_type = 5, byte_type = 6;
constexpr std::string_view blank = "\u2581";

class VocabularyReader {
 public:
  VocabularyReader(std::string_view bytes, const std::string& file)
      : metadata_(GgufMetadata::read(bytes, file)), file_(file), fields_(file) {}

  TokenizerFile read() {
    const std::string model = text("model");
    if (model.empty()) fields_.fail(key("model"), "nothing", "the vocabulary of a model");
    read_tokens();
    if (model == "gpt2") {
      read_byte_level();
    } else if (model == "llama" || model == "t5") {
      read_sentence_pieces(model == "t5");
    } else if (model == "bert") {
      read_word_pieces();
    } else {
      fields_.refuse(key("model"), model);
    }
    read_roles(model);
    result_.size = metadata_.size();
    if (const std::string chat = text("chat_template"); !chat.empty()) {
      result_.templates.push_back({"default", chat, file_});
    } else if (const auto* plain = metadata_.find<std::string>("tokenizer.chat_template")) {
      result_.templates.push_back({"default", *plain, file_});
    }
    return std::move(result_);
  }

 private:
  static std::string key(std::string_view name) { return "tokenizer.ggml." + std::string(name); }
  std::string text(std::string_view name) const {
    const auto* value = metadata_.find<std::string>(key(name));
    return value ? *value : std::string();
  }
  bool flag(std::string_view name, bool otherwise) const {
    const auto* value = metadata_.find<bool>(key(name));
    return value ? *value : otherwise;
  }
  std::optional<std::int32_t> token(std::string_view role) const {
    const auto* id = metadata_.find<std::int64_t>(key(std::string(role) + "_token_id"));
    if (!id || *id < 0 || *id >= static_cast<std::int64_t>(tokens_.size())) return std::nullopt;
    return static_cast<std::int32_t>(*id);
  }

  void read_tokens() {
    const auto* tokens = metadata_.find<std::vector<std::string>>(key("tokens"));
    if (!tokens || tokens->empty()) fields_.fail(key("tokens"), "nothing", "a list of texts");
    if (tokens->size() > static_cast<std::size_t>(JsonFields::largest_id))
      fields_.fail(key("tokens"), std::to_string(tokens->size()) + " tokens", "fewer than 16 million");
    for (std::size_t i = 0; i < tokens->size(); ++i) {
      if (!valid_utf8((*tokens)[i])) fields_.fail(JsonFields::entry(key("tokens"), i), "no UTF-8", "a text");
    }
    tokens_ = *tokens;
    const auto* types = metadata_.find<std::vector<std::int64_t>>(key("token_type"));
    types_ = types ? *types : std::vector<std::int64_t>(tokens_.size(), 1);
    if (types_.size() != tokens_.size())
      fields_.fail(key("token_type"), "another number of tokens", "one type a token");
  }

  ModelPart plain_part(ModelPart::Kind kind) const {
    ModelPart part = {.kind = kind};
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const auto id = static_cast<std::int32_t>(i);
      if (!part.ids.emplace(tokens_[i], id).second)
        fields_.fail(JsonFields::entry(key("tokens"), i), "a token for the second time", "tokens written once");
      part.tokens.push_back({.text = tokens_[i], .id = id});
    }
    return part;
  }

  void add_special_tokens() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (types_[i] != control_type && types_[i] != user_defined_type) continue;
      if (tokens_[i].empty()) continue;
      result_.added.push_back(
          {.id = static_cast<std::int32_t>(i), .content = tokens_[i], .special = types_[i] == control_type});
    }
  }

  void read_byte_level() {
    const std::string pre = text("pre");
    const auto family = byte_level_family(pre.empty() ? "default" : pre);
    if (!family) fields_.refuse(key("pre"), pre);
    ModelPart part = plain_part(ModelPart::Kind::bpe);
    part.whole_words = family->whole_words;
    read_merges(part);
    const Json decoder = Json::object({{"type", "ByteLevel"}});
    assemble(result_, fields_, std::move(part), components(family->normalizer, family->pre_tokenizer, decoder));
    add_special_tokens();
  }

  Components components(const Json& normalizer, const Json& splitter, const Json& decoder) const {
    return {.normalizers = components_of(fields_, &normalizer, "normalizer", "normalizers"),
            .splitters = components_of(fields_, &splitter, "pre_tokenizer", "pretokenizers"),
            .decoders = components_of(fields_, &decoder, "decoder", "decoders")};
  }

  void read_merges(ModelPart& part) const {
    const auto* merges = metadata_.find<std::vector<std::string>>(key("merges"));
    if (!merges) fields_.fail(key("merges"), "nothing", "a list of texts");
    for (std::size_t i = 0; i < merges->size(); ++i) {
      const std::string& merge = (*merges)[i];
      const std::size_t cut = merge.find(' ', 1);
      const auto find = [&](const std::string& token) {
        const auto found = part.ids.find(token);
        if (found == part.ids.end())
          fields_.fail(JsonFields::entry(key("merges"), i), "a merge of no tokens", "two tokens that make a third");
        return found->second;
      };
      if (cut == merge.npos) fields_.fail(JsonFields::entry(key("merges"), i), "no pair", "two tokens");
      const std::string left = merge.substr(0, cut), right = merge.substr(cut + 1);
      part.merges.push_back({find(left), find(right), find(left + right), static_cast<std::int32_t>(i)});
    }
  }

  void read_sentence_pieces(bool unigram) {
    const auto* scores = metadata_.find<std::vector<double>>(key("scores"));
    if (!scores || scores->size() != tokens_.size())
      fields_.fail(key("scores"), "no score a token", "one score a token");
    SentencePieces pieces = {.unigram = unigram, .byte_fallback = !unigram};
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (types_[i] < 1 || types_[i] > byte_type)
        fields_.fail(JsonFields::entry(key("token_type"), i), "type " + std::to_string(types_[i]), "1 to 6");
      // Models are padded with tokens that no text has.
      const bool unused = types_[i] == unused_type && !unigram;
      pieces.pieces.push_back({tokens_[i], static_cast<float>((*scores)[i]),
                               unused ? SentencePieces::Type::control : static_cast<SentencePieces::Type>(types_[i])});
    }
    if (const auto* map = metadata_.find<std::vector<std::int64_t>>(key("precompiled_charsmap"))) {
      std::string bytes;
      for (const std::int64_t byte : *map) bytes += static_cast<char>(static_cast<unsigned char>(byte));
      pieces.rules = std::make_shared<PrecompiledMap>(bytes, fields_.where(key("precompiled_charsmap")));
    }
    pieces.remove_extra_blanks = flag("remove_extra_whitespaces", unigram);
    pieces.prefix = flag("add_space_prefix", true) ? splitters::Prefix::first : splitters::Prefix::never;
    set_sentence_pieces(result_, fields_, pieces);
  }

  // Words are written with U+2581 before them and what goes on a word without "##".
  void read_word_pieces() {
    for (std::string& spelling : tokens_) {
      if (spelling.starts_with(blank)) {
        spelling.erase(0, blank.size());
      } else if (!(spelling.starts_with('[') && spelling.ends_with(']'))) {
        spelling.insert(0, "##");
      }
    }
    ModelPart part = plain_part(ModelPart::Kind::word_piece);
    part.continuing_prefix = "##";
    part.unknown = token("unknown");
    if (!part.unknown) fields_.fail(key("unknown_token_id"), "nothing", "a token");
    const Json normalizer = Json::object({{"type", "BertNormalizer"}});
    const Json splitter = Json::object({{"type", "BertPreTokenizer"}});
    const Json decoder = Json::object({{"type", "WordPiece"}});
    assemble(result_, fields_, std::move(part), components(normalizer, splitter, decoder));
    add_special_tokens();
  }

  void read_roles(const std::string& model) {
    constexpr std::pair<std::string_view, std::string_view> roles[] = {
        {"bos", "bos_token"},       {"eos", "eos_token"},     {"unknown", "unk_token"}, {"seperator", "sep_token"},
        {"separator", "sep_token"}, {"padding", "pad_token"}, {"cls", "cls_token"},     {"mask", "mask_token"}};
    for (const auto& [name, role] : roles) {
      if (const auto id = token(name)) result_.special.emplace_back(role, tokens_[static_cast<std::size_t>(*id)]);
    }
    const auto put = [&](std::vector<std::int32_t>& around, std::string_view role, std::string_view other) {
      const auto id = token(role) ? token(role) : token(other);
      if (id) around.push_back(*id);
    };
    if (flag("add_bos_token", model == "llama" || model == "bert"))
      put(result_.before, model == "bert" ? "cls" : "bos", "bos");
    if (flag("add_eos_token", model == "t5")) put(result_.behind, "eos", "eos");
    if (flag("add_sep_token", model == "bert")) put(result_.behind, "seperator", "separator");
  }

  GgufMetadata metadata_;
  std::string file_;
  JsonFields fields_;
  std::vector<std::string> tokens_;
  std::vector<std::int64_t> types_;
  TokenizerFile result_;
};

}  // namespace

TokenizerFile read_gguf_vocabulary(std::string_view bytes, const std::string& file) {
  return VocabularyReader(bytes, file).read();
}

}  // namespace attune
