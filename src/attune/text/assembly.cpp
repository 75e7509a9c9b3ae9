// From the parts of a tokenizer to the way that its texts go.
#include <algorithm>
#include <optional>

#include "attune/text/byte_level.h"
#include "attune/text/tokenizer_file.h"

namespace attune {
namespace {

class Assembler {
 public:
  Assembler(TokenizerFile& file, const JsonFields& fields, ModelPart part, const Components& parts)
      : file_(file), fields_(fields), part_(std::move(part)), parts_(parts) {}

  void run() {
    const std::optional<PreTokenizer> known = known_splitters();
    if (known && byte_decoder() && plain_bpe() && has_all_bytes()) {
      file_.nfc = !parts_.normalizers.empty();
      set_byte_level(*known);
    } else {
      set_pipeline();
    }
  }

 private:
  bool plain_bpe() const {
    return part_.kind == ModelPart::Kind::bpe && !part_.byte_fallback && part_.continuing_prefix.empty() &&
           part_.end_of_word.empty();
  }
  bool byte_decoder() const {
    return !parts_.decoders.empty() &&
           std::ranges::all_of(parts_.decoders, [](const auto& one) { return one.type == "ByteLevel"; });
  }

  // What the fast way can do: NFC or nothing, then ByteLevel alone, behind Digits, or behind a known expression.
  std::optional<PreTokenizer> known_splitters() const {
    const bool only_nfc = std::ranges::all_of(parts_.normalizers, [](const auto& one) { return one.type == "NFC"; });
    if (!only_nfc || parts_.splitters.empty() || parts_.splitters.size() > 2) return std::nullopt;
    const Component& last = parts_.splitters.back();
    if (last.type != "ByteLevel") return std::nullopt;
    const bool own_expression = fields_.flag(*last.json, last.field, "use_regex", true);
    PreTokenizer result = {.pattern = own_expression ? WordPattern::gpt2 : WordPattern::everything};
    result.add_prefix_space = fields_.flag(*last.json, last.field, "add_prefix_space", true);
    if (parts_.splitters.size() == 1) return result;
    const Component& first = parts_.splitters.front();
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
    for (const Component& one : parts_.normalizers) pipeline->normalizer.push_back(normalizer_of(fields_, one));
    const auto byte_levels = std::ranges::count(parts_.splitters, "ByteLevel", &Component::type);
    const bool bytes_last =
        byte_levels == 1 && parts_.splitters.back().type == "ByteLevel" && plain_bpe() && has_all_bytes();
    if (byte_levels > 0) require_bytes();
    for (const Component& one : parts_.splitters) pipeline->splitter.push_back(splitter_of(fields_, one, !bytes_last));
    pipeline->model = bytes_last ? make_byte_model(part_) : make_model(part_);
    const bool bytes = byte_decoder();
    if (!bytes) {
      for (const Component& one : parts_.decoders) pipeline->decoder.push_back(decoder_of(fields_, one));
      if (parts_.decoders.empty()) pipeline->decoder.push_back(decoders::spaced());
    }
    set_vocabulary(bytes);
    file_.pipeline = std::move(pipeline);
  }

  // Bytes without a token vanish from the text. Some real vocabularies (Falcon's) lack control characters and bytes
  // that no text has or that begin unassigned characters only; others must be there.
  void require_bytes() const {
    if (part_.kind != ModelPart::Kind::bpe || part_.byte_fallback) return;
    const auto ids = byte_alphabet_ids(part_);
    for (std::size_t byte = 0; byte < ids.size(); ++byte) {
      const bool control = byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r';
      const bool no_lead = byte == 0xC0 || byte == 0xC1 || byte == 0xF1 || byte == 0xF2 || byte > 0xF4;
      const bool in_no_text = control || byte == 0x7F || no_lead;
      if (ids[byte] >= 0 || in_no_text) continue;
      fields_.fail("model.vocab", "no token for byte " + std::to_string(byte), "a token for each byte of texts");
    }
  }
  bool has_all_bytes() const {
    return std::ranges::none_of(byte_alphabet_ids(part_), [](std::int32_t id) { return id < 0; });
  }

  void set_byte_level(const PreTokenizer& pre_tokenizer) {
    file_.byte_ids = byte_alphabet_ids(part_);
    file_.pre_tokenizer = pre_tokenizer;
    file_.whole_words = part_.whole_words;
    file_.merges = std::move(part_.merges);
    set_vocabulary(true);
  }

  void set_vocabulary(bool bytes) {
    file_.vocabulary.reserve(part_.tokens.size());
    for (ModelPart::Token& token : part_.tokens) {
      std::optional<std::string> text = bytes ? character_bytes(token.text) : std::nullopt;
      file_.vocabulary.push_back({text ? std::move(*text) : std::move(token.text), token.id});
    }
  }

  TokenizerFile& file_;
  const JsonFields& fields_;
  ModelPart part_;
  const Components& parts_;
};

}  // namespace

void assemble(TokenizerFile& file, const JsonFields& fields, ModelPart part, const Components& components) {
  Assembler(file, fields, std::move(part), components).run();
}

}  // namespace attune
