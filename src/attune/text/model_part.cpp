#include "attune/text/model_part.h"

#include <algorithm>
#include <cstdio>

#include "attune/text/byte_level.h"
#include "attune/text/models/byte_bpe.h"
#include "attune/text/models/character_bpe.h"
#include "attune/text/models/unigram.h"
#include "attune/text/models/word_piece.h"

namespace attune {
namespace {

std::vector<Bpe::Entry> entries_of(const ModelPart& part) {
  std::vector<Bpe::Entry> entries;
  entries.reserve(part.tokens.size());
  for (const ModelPart::Token& token : part.tokens) {
    if (token.found_in_text) entries.push_back({token.text, token.id});
  }
  return entries;
}

std::unique_ptr<const SubwordModel> make_character_bpe(const ModelPart& part) {
  CharacterBpe::Options options = {.unknown = part.unknown,
                                   .fuse_unknown = part.fuse_unknown,
                                   .whole_words = part.whole_words,
                                   .continuing_prefix = part.continuing_prefix,
                                   .end_of_word = part.end_of_word,
                                   .limit = part.limit};
  if (part.byte_fallback) options.byte_ids = fallback_ids(part);
  for (const ModelPart::Token& token : part.tokens) {
    if (token.frozen) options.frozen.push_back(token.text);
  }
  return std::make_unique<CharacterBpe>(entries_of(part), part.merges, std::move(options));
}

std::unique_ptr<const SubwordModel> make_unigram(const ModelPart& part) {
  std::vector<Unigram::Entry> entries;
  double lowest = 0, highest = 0;
  bool any = false;
  for (const ModelPart::Token& token : part.tokens) {
    if (!token.found_in_text || token.frozen) continue;
    lowest = any ? std::min(lowest, token.score) : token.score;
    highest = any ? std::max(highest, token.score) : token.score;
    any = true;
  }
  for (const ModelPart::Token& token : part.tokens) {
    if (!token.found_in_text) continue;
    // Frozen ones score so much that they are always chosen.
    const double score = token.frozen ? static_cast<double>(token.text.size()) * highest - 0.1 : token.score;
    entries.push_back({token.text, token.id, score});
  }
  Unigram::Options options = {.unknown = part.unknown.value_or(0),
                              .lowest_score = lowest,
                              .byte_ids = CharacterBpe::no_bytes(),
                              .single_precision = part.single_precision};
  if (part.byte_fallback) options.byte_ids = fallback_ids(part);
  return std::make_unique<Unigram>(entries, options);
}

}  // namespace

std::array<std::int32_t, 256> byte_alphabet_ids(const ModelPart& part) {
  std::array<std::int32_t, 256> ids = CharacterBpe::no_bytes();
  for (const ModelPart::Token& token : part.tokens) {
    if (token.text.size() > 2) continue;
    const std::optional<std::string> bytes = character_bytes(token.text);
    if (bytes && bytes->size() == 1) ids[static_cast<unsigned char>(bytes->front())] = token.id;
  }
  return ids;
}

std::array<std::int32_t, 256> fallback_ids(const ModelPart& part) {
  std::array<std::int32_t, 256> ids = CharacterBpe::no_bytes();
  for (std::size_t byte = 0; byte < ids.size(); ++byte) {
    char spelling[8];
    std::snprintf(spelling, sizeof spelling, "<0x%02X>", static_cast<unsigned>(byte));
    if (const auto found = part.ids.find(spelling); found != part.ids.end()) ids[byte] = found->second;
  }
  return ids;
}

std::unique_ptr<const SubwordModel> make_model(const ModelPart& part) {
  switch (part.kind) {
    case ModelPart::Kind::bpe:
      return make_character_bpe(part);
    case ModelPart::Kind::unigram:
      return make_unigram(part);
    default:
      return std::make_unique<WordPiece>(
          entries_of(part), WordPiece::Options{.unknown = part.unknown.value_or(0),
                                               .continuing_prefix = part.continuing_prefix,
                                               .longest_word = part.longest_word,
                                               .whole_words_only = part.kind == ModelPart::Kind::word_level});
  }
}

std::unique_ptr<const SubwordModel> make_byte_model(const ModelPart& part) {
  std::vector<std::string> texts;
  texts.reserve(part.tokens.size());
  std::vector<Bpe::Entry> entries;
  for (const ModelPart::Token& token : part.tokens) {
    texts.push_back(character_bytes(token.text).value_or(token.text));
    entries.push_back({texts.back(), token.id});
  }
  return std::make_unique<ByteBpe>(Bpe(entries, byte_alphabet_ids(part), part.merges, part.whole_words), entries);
}

}  // namespace attune
