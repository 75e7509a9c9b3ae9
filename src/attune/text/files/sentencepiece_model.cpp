// tokenizer.model: SentencePiece's ModelProto (sentencepiece_model.proto).
#include <algorithm>
#include <array>

#include "attune/text/files/protobuf_reader.h"
#include "attune/text/files/sentence_pieces.h"

namespace attune {
namespace {

constexpr std::uint64_t unigram_type = 1, bpe_type = 2;
constexpr std::size_t most_pieces = std::size_t{1} << 24;

// Their ids are not the pieces' places, by rules that only their own code knows.
constexpr std::array<std::string_view, 12> shifting_classes = {"XLMRoberta", "Camembert", "MBart",   "MBart50",
                                                               "M2M100",     "Nllb",      "Barthez", "Pegasus",
                                                               "XGLM",       "PLBart",    "XLNet",   "Speech2Text"};

class ModelReader {
 public:
  ModelReader(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file), fields_(file) {}

  void read() {
    ProtobufReader reader(bytes_, file_);
    while (const auto field = reader.next()) {
      if (!field->is_bytes) continue;
      const std::size_t offset = reader.offset_of(*field);
      if (field->number == 1) read_piece(field->bytes, offset);
      if (field->number == 2) read_trainer(field->bytes, offset);
      if (field->number == 3) read_normalizer(field->bytes, offset);
    }
    if (source.pieces.empty()) fields_.fail("pieces", "none", "a SentencePiece model", "fetch the file again");
  }

  SentencePieces source = {};
  std::array<std::int64_t, 3> roles = {1, 2, -1};  // bos, eos, pad
  bool dummy_prefix = true;

 private:
  void read_piece(std::string_view message, std::size_t offset) {
    if (source.pieces.size() == most_pieces) fields_.fail("pieces", "more than 16 million", "a vocabulary");
    SentencePieces::Piece piece;
    ProtobufReader reader(message, file_, offset);
    while (const auto field = reader.next()) {
      if (field->number == 1) piece.text = field->bytes;
      if (field->number == 2) piece.score = field->number32();
      if (field->number != 3) continue;
      if (field->value < 1 || field->value > 6)
        fields_.fail(JsonFields::entry("pieces", source.pieces.size()), "type " + std::to_string(field->value),
                     "1 to 6");
      piece.type = static_cast<SentencePieces::Type>(field->value);
    }
    source.pieces.push_back(std::move(piece));
  }

  void read_trainer(std::string_view message, std::size_t offset) {
    ProtobufReader reader(message, file_, offset);
    while (const auto field = reader.next()) {
      if (field->number == 3) {
        if (field->value != unigram_type && field->value != bpe_type) {
          fields_.fail("trainer_spec.model_type", "type " + std::to_string(field->value), "unigram (1) or BPE (2)",
                       "use the tokenizer.json of this model");
        }
        source.unigram = field->value == unigram_type;
      }
      if (field->number == 24) source.blank_is_suffix = field->boolean();
      if (field->number == 35) source.byte_fallback = field->boolean();
      if (field->number >= 41 && field->number <= 43)
        roles[field->number - 41] = static_cast<std::int32_t>(field->value);  // -1 is written as 64 bits
    }
  }

  void read_normalizer(std::string_view message, std::size_t offset) {
    ProtobufReader reader(message, file_, offset);
    while (const auto field = reader.next()) {
      if (field->number == 2 && !field->bytes.empty())
        source.rules =
            std::make_shared<PrecompiledMap>(field->bytes, fields_.where("normalizer_spec.precompiled_charsmap"));
      if (field->number == 3) dummy_prefix = field->boolean();
      if (field->number == 4) source.remove_extra_blanks = field->boolean();
      if (field->number == 5) source.escape_blanks = field->boolean();
    }
  }

  std::string_view bytes_;
  std::string file_;
  JsonFields fields_;
};

void refuse_shifted(const JsonFields& fields, std::string_view tokenizer_class) {
  for (const std::string_view suffix : {"Fast", "Tokenizer"}) {
    if (tokenizer_class.ends_with(suffix)) tokenizer_class.remove_suffix(suffix.size());
  }
  if (std::ranges::find(shifting_classes, tokenizer_class) == shifting_classes.end()) return;
  fields.fail("", "a SentencePiece model whose ids " + std::string(tokenizer_class) + " shifts", "a tokenizer.json",
              "save the tokenizer with transformers: AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)");
}

}  // namespace

TokenizerFile read_sentencepiece_model(std::string_view bytes, const std::string& file,
                                       const SentencePieceSettings& settings) {
  const JsonFields fields(file);
  refuse_shifted(fields, settings.tokenizer_class);
  ModelReader reader(bytes, file);
  reader.read();
  reader.source.prefix = !reader.dummy_prefix ? splitters::Prefix::never
                         : settings.legacy    ? splitters::Prefix::always
                                              : splitters::Prefix::first;
  TokenizerFile result;
  set_sentence_pieces(result, fields, reader.source);
  constexpr std::array<std::string_view, 3> names = {"bos_token", "eos_token", "pad_token"};
  std::array<std::optional<std::int32_t>, 3> ids;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::int64_t id = reader.roles[i];
    if (id < 0 || id >= static_cast<std::int64_t>(reader.source.pieces.size())) continue;
    const SentencePieces::Piece& piece = reader.source.pieces[static_cast<std::size_t>(id)];
    if (piece.type != SentencePieces::Type::control) continue;
    ids[i] = static_cast<std::int32_t>(id);
    result.special.emplace_back(names[i], piece.text);
  }
  const bool closes = settings.tokenizer_class.starts_with("T5");
  if (ids[0] && settings.add_bos.value_or(!reader.source.unigram)) result.before.push_back(*ids[0]);
  if (ids[1] && settings.add_eos.value_or(closes)) result.behind.push_back(*ids[1]);
  return result;
}

}  // namespace attune
