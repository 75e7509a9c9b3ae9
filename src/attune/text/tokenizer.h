// Text to token ids and back, with the tokenizers that models come with: Hugging Face's tokenizer.json, SentencePiece
// models, tiktoken ranks, and the vocabulary inside a GGUF file (docs/tokenizers.md says what is compared, and how).
//
// Every text has ids: bytes that are no UTF-8 become U+FFFD before encoding, as they do in Python. For byte-level
// tokenizers and valid text decode(encode(text)) is the text again (its NFC where the tokenizer normalizes).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/files.h"
#include "attune/text/encoding.h"
#include "attune/text/special_tokens.h"

namespace attune {

class Tokenizer {
 public:
  // From a model folder (tokenizer.json, else a tokenizer.model, a tiktoken file or a GGUF file, and what stands beside
  // it) or one such file, recognised by its content. Throws MissingInput, FormatError.
  static Tokenizer load(const Path& folder_or_file);
  // From the bytes of such a file alone; `file` names it in messages. Throws FormatError.
  static Tokenizer from_bytes(std::string_view bytes, const std::string& file);
  static Tokenizer from_json(std::string_view json, const std::string& file = "tokenizer.json");

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // All of these may be called from several threads at once.
  std::vector<std::int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  Encoding encode_with_offsets(std::string_view text, const EncodeOptions& options = {}) const;
  std::vector<std::vector<std::int32_t>> encode_batch(std::span<const std::string> texts,
                                                      const EncodeOptions& options = {}) const;  // threaded

  // Ids that no token has stand for nothing (a model's embedding may be larger than its vocabulary). Bytes that are no
  // UTF-8 become U+FFFD.
  std::string decode(std::span<const std::int32_t> ids, bool skip_special = false) const;
  // What a token adds to a text that others begin; empty for ids that no token has.
  std::string_view token_bytes(std::int32_t id) const;

  std::int32_t vocabulary_size() const;  // the largest id + 1, added tokens included
  // Of an added token, a token with these bytes, or (where tokens have spellings, "\u2581word") with this spelling.
  std::optional<std::int32_t> token_id(std::string_view text) const;
  bool is_byte_level() const;  // a text is its tokens' bytes, one after the other
  bool is_special(std::int32_t id) const;

  // Absent where the files say null or nothing: never a made-up token (pitfall P7).
  std::optional<std::int32_t> bos() const;
  std::optional<std::int32_t> eos() const;
  std::optional<std::int32_t> pad() const;
  std::optional<std::int32_t> unk() const;
  const std::vector<std::int32_t>& stop_ids() const;  // where generation ends: eos and generation_config.json's
  const SpecialTokens& special_tokens() const;        // their spellings, as templates see them
  const std::vector<NamedTemplate>& chat_templates() const;
  const std::string& fingerprint() const;  // hash of all that decides ids; for caches

 private:
  struct Parts;
  explicit Tokenizer(std::unique_ptr<const Parts> parts);
  static Tokenizer make(std::string_view bytes, const std::string& name, TokenizerSettings settings,
                        const std::string& settings_name);
  std::unique_ptr<const Parts> parts_;
};

// Turns a stream of ids into text as they come: only ever emits whole characters.
class StreamingDecoder {
 public:
  explicit StreamingDecoder(const Tokenizer& tokenizer, bool skip_special = true)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  std::string add(std::int32_t id);  // the text that is certain by now, often empty in the middle of a character
  std::string finish();              // the rest; the decoder is as new afterwards

 private:
  std::string add_spelled(std::int32_t id);

  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::string pending_;  // byte level: bytes of a character that is not whole yet
  // Otherwise a token's text depends on its neighbours: the last ones, how many of them came before the last text that
  // was given out, and what they are with the others until then.
  std::vector<std::int32_t> window_;
  std::size_t settled_ = 0;
  std::string shown_;
};

}  // namespace attune
