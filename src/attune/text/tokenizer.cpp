#include "attune/text/tokenizer.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <unordered_set>

#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/base/json.h"
#include "attune/base/threads.h"
#include "attune/text/encoder.h"
#include "attune/text/files/gguf_metadata.h"
#include "attune/text/files/gguf_vocabulary.h"
#include "attune/text/files/sentence_pieces.h"
#include "attune/text/files/tiktoken_file.h"
#include "attune/text/tokenizer_file.h"
#include "attune/text/tokenizer_folder.h"
#include "attune/text/unicode.h"

namespace attune {

struct Tokenizer::Parts {
  EncodingParts encoding = {};
  std::vector<AddedToken> added = {};
  std::unordered_set<std::int32_t> special_ids = {};
  std::vector<std::int32_t> before = {}, behind = {};
  SpecialTokens special = {};
  std::optional<std::int32_t> bos = {}, eos = {}, pad = {}, unk = {};
  std::vector<std::int32_t> stop_ids = {};
  std::vector<NamedTemplate> templates = {};
  std::string fingerprint = {};

  bool byte_level() const { return !encoding.pipeline || encoding.pipeline->decoder.empty(); }
  std::string decode(std::span<const std::int32_t> ids) const {
    std::vector<std::string> spellings;
    spellings.reserve(ids.size());
    for (const std::int32_t id : ids) {
      if (encoding.texts.has(id)) spellings.emplace_back(encoding.texts[id]);
    }
    return encoding.pipeline->decode(std::move(spellings));
  }
  const std::vector<std::string>& surface_of_id() const;

 private:
  mutable std::once_flag surfaces_made_ = {};
  mutable std::vector<std::string> surface_of_id_ = {};
};

// Of tokens that have spellings, what each adds behind another one. Made when first asked for.
const std::vector<std::string>& Tokenizer::Parts::surface_of_id() const {
  std::call_once(surfaces_made_, [this] {
    const std::int32_t other = encoding.texts.find("a").value_or(0);
    const std::size_t known = decode(std::span(&other, 1)).size();
    surface_of_id_.resize(static_cast<std::size_t>(encoding.texts.size()));
    for (std::int32_t id = 0; id < encoding.texts.size(); ++id) {
      std::string& surface = surface_of_id_[static_cast<std::size_t>(id)];
      if (const auto byte = decoders::fallback_byte(encoding.texts[id])) {
        surface = *byte;
        continue;
      }
      const std::int32_t both[] = {other, id};
      const std::string text = decode(both);
      surface = text.substr(std::min(known, text.size()));
    }
  });
  return surface_of_id_;
}

namespace {

constexpr std::size_t grain = 16;  // texts a thread takes at once

bool has_token(const TokenizerFile& file, const AddedToken& token) {
  return std::any_of(file.added.begin(), file.added.end(),
                     [&](const AddedToken& one) { return one.content == token.content; });
}

// Tokens that only tokenizer_config.json knows, and special tokens that tokenizer.json holds as ordinary ones.
void add_from_settings(TokenizerFile& file, const TokenizerSettings& settings, const std::string& name) {
  for (const AddedToken& token : settings.added) {
    if (has_token(file, token)) continue;
    const auto same_id = std::find_if(file.vocabulary.begin(), file.vocabulary.end(),
                                      [&](const auto& one) { return one.id == token.id; });
    const bool taken =
        (same_id != file.vocabulary.end() && same_id->text != token.content) ||
        std::any_of(file.added.begin(), file.added.end(), [&](const AddedToken& one) { return one.id == token.id; });
    if (taken) {
      throw FormatError({.file = name, .field = "added_tokens_decoder." + std::to_string(token.id)},
                        "an id that tokenizer.json gives to another token", "the same tokens in both files");
    }
    file.added.push_back(token);
  }
  for (const auto& [role, content] : settings.special) {
    const auto added = std::find_if(file.added.begin(), file.added.end(),
                                    [&](const AddedToken& one) { return one.content == content; });
    if (added != file.added.end()) {
      added->special = true;
      continue;
    }
    const auto token = std::find_if(file.vocabulary.begin(), file.vocabulary.end(),
                                    [&](const auto& one) { return one.text == content; });
    if (token == file.vocabulary.end()) {
      throw FormatError({.file = name, .field = role}, "a token that tokenizer.json does not have",
                        "one of its tokens, or null");
    }
    file.added.push_back({.id = token->id, .content = content, .special = true});
  }
}

std::string normalized_content(const EncodingParts& encoding, const AddedToken& token) {
  if (!token.normalized) return token.content;
  if (encoding.pipeline)
    return std::string(encoding.pipeline->normalized(MappedText(token.content, false, true)).text());
  return encoding.nfc ? normalize_nfc(token.content).text : token.content;
}

void add_finders(EncodingParts& encoding, const std::vector<AddedToken>& added) {
  for (const AddedToken& token : added) {
    const std::string pattern = normalized_content(encoding, token);
    if (!pattern.empty()) (token.normalized ? encoding.normalized_finder : encoding.raw_finder).add(pattern, token);
  }
}

EncodingParts encoding_parts(const TokenizerFile& file) {
  static std::atomic<std::uint64_t> serial = 0;
  EncodingParts parts;
  parts.serial = ++serial;
  parts.pre_tokenizer = file.pre_tokenizer;
  parts.nfc = file.nfc;
  parts.pipeline = file.pipeline;
  std::vector<Bpe::Entry> entries;
  entries.reserve(file.vocabulary.size());
  for (const auto& token : file.vocabulary) {
    parts.texts.add(token.id, token.text);
    entries.push_back({token.text, token.id});
  }
  // Behind the vocabulary: an added "Å" may have taken the id of the byte that is written as Å.
  for (const AddedToken& token : file.added) parts.texts.add(token.id, token.content);
  if (!file.pipeline) parts.bpe = Bpe(entries, file.byte_ids, file.merges, file.whole_words);
  return parts;
}

// By what the bytes begin with: names say little (a tokenizer.model may be SentencePiece's or tiktoken's).
TokenizerFile read_any(std::string_view bytes, const std::string& name, const TokenizerSettings& settings) {
  if (is_gguf(bytes)) return read_gguf_vocabulary(bytes, name);
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  const bool protobuf = bytes.starts_with('\n') && first != 0 && first != bytes.npos && bytes[first] != '{';
  if (protobuf) {
    return read_sentencepiece_model(bytes, name,
                                    {.legacy = settings.legacy,
                                     .add_bos = settings.add_bos,
                                     .add_eos = settings.add_eos,
                                     .tokenizer_class = settings.tokenizer_class});
  }
  return is_tiktoken(bytes) ? read_tiktoken(bytes, name) : read_tokenizer_json(bytes, name);
}

// The whole of what decides ids: equal fingerprints give equal ids.
std::string fingerprint_of(std::string_view bytes, const TokenizerFile& file) {
  Hasher hasher;
  hasher.add(bytes);
  for (const AddedToken& token : file.added) {
    hasher.add(std::to_string(token.id)).add(token.special ? "s" : "n").add(token.content).add({"", 1});
  }
  return hasher.hex();
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::make(std::string_view bytes, const std::string& name, TokenizerSettings settings,
                          const std::string& settings_name) {
  TokenizerFile file = read_any(bytes, name, settings);
  if (!settings.any_file) settings.special = std::move(file.special);
  if (settings.templates.empty()) settings.templates = std::move(file.templates);
  add_from_settings(file, settings, settings_name);
  auto parts = std::make_unique<Parts>();
  parts->fingerprint = fingerprint_of(bytes.substr(0, file.size), file);
  parts->encoding = encoding_parts(file);
  parts->added = std::move(file.added);  // the finders point into it
  add_finders(parts->encoding, parts->added);
  for (const AddedToken& token : parts->added) {
    if (token.special) parts->special_ids.insert(token.id);
  }
  parts->before = std::move(file.before);
  parts->behind = std::move(file.behind);
  const auto role = [&](std::string_view key) -> std::optional<std::int32_t> {
    for (const auto& [name_of_role, content] : settings.special) {
      if (name_of_role == key) return parts->encoding.texts.find(content);
    }
    return std::nullopt;
  };
  parts->bos = role("bos_token");
  parts->eos = role("eos_token");
  parts->pad = role("pad_token");
  parts->unk = role("unk_token");
  if (!settings.any_file && !settings.stop_ids.empty() && parts->encoding.texts.has(settings.stop_ids.front())) {
    parts->eos = settings.stop_ids.front();
  }
  if (parts->eos) parts->stop_ids.push_back(*parts->eos);
  for (const std::int32_t id : settings.stop_ids) {
    if (std::find(parts->stop_ids.begin(), parts->stop_ids.end(), id) == parts->stop_ids.end())
      parts->stop_ids.push_back(id);
  }
  parts->special = std::move(settings.special);
  parts->templates = std::move(settings.templates);
  return Tokenizer(std::move(parts));
}

Tokenizer Tokenizer::load(const Path& folder_or_file) {
  const Path file = tokenizer_file_of(folder_or_file);
  const Path beside = file.parent_path();
  const MappedFile bytes(file);
  return make(bytes.bytes(), file.string(), read_tokenizer_settings(beside),
              (beside / "tokenizer_config.json").string());
}

Tokenizer Tokenizer::from_bytes(std::string_view bytes, const std::string& file) { return make(bytes, file, {}, file); }
Tokenizer Tokenizer::from_json(std::string_view json, const std::string& file) { return make(json, file, {}, file); }

namespace {

// Repairs text that is no UTF-8; origins then move with it. Rare, so simple: one byte at a time.
struct Repaired {
  std::string text = {};
  std::vector<std::size_t> source = {};  // for each byte, and the end
};

Repaired repair(std::string_view text) {
  Repaired result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = well_formed_prefix(text, at).length;
    const std::string piece = replace_invalid_utf8(text.substr(at, size));
    result.source.insert(result.source.end(), piece.size(), at);
    if (piece.size() == size) {
      for (std::size_t i = 0; i < size; ++i) result.source[result.text.size() + i] = at + i;
    }
    result.text += piece;
    at += size;
  }
  result.source.push_back(text.size());
  return result;
}

Encoding encode_any(const EncodingParts& parts, std::string_view text, const EncodeOptions& options, bool want_spans) {
  if (text.size() > std::size_t{std::numeric_limits<std::int32_t>::max()}) {
    throw DataError({}, "a text of " + std::to_string(text.size()) + " bytes", "at most 2 GiB", "split it");
  }
  if (valid_utf8(text)) return encode_text(parts, text, options, want_spans);
  const Repaired repaired = repair(text);
  std::vector<OriginSpan> origins;
  const auto moved = [&](std::size_t at) {
    return static_cast<std::size_t>(std::lower_bound(repaired.source.begin(), repaired.source.end(), at) -
                                    repaired.source.begin());
  };
  for (const OriginSpan& span : options.origins) origins.push_back({moved(span.begin), moved(span.end), span.origin});
  EncodeOptions moved_options = options;
  moved_options.origins = origins;
  Encoding encoding = encode_text(parts, repaired.text, moved_options, want_spans);
  for (ByteSpan& span : encoding.spans) span = {repaired.source[span.begin], repaired.source[span.end]};
  return encoding;
}

}  // namespace

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  Encoding encoding = encode_any(parts_->encoding, text, options, false);
  if (options.add_special_tokens) {
    encoding.ids.insert(encoding.ids.begin(), parts_->before.begin(), parts_->before.end());
    encoding.ids.insert(encoding.ids.end(), parts_->behind.begin(), parts_->behind.end());
  }
  return std::move(encoding.ids);
}

Encoding Tokenizer::encode_with_offsets(std::string_view text, const EncodeOptions& options) const {
  Encoding encoding = encode_any(parts_->encoding, text, options, true);
  if (options.add_special_tokens) {
    encoding.ids.insert(encoding.ids.begin(), parts_->before.begin(), parts_->before.end());
    encoding.ids.insert(encoding.ids.end(), parts_->behind.begin(), parts_->behind.end());
    encoding.spans.insert(encoding.spans.begin(), parts_->before.size(), {0, 0});
    encoding.spans.insert(encoding.spans.end(), parts_->behind.size(), {text.size(), text.size()});
  }
  return encoding;
}

std::vector<std::vector<std::int32_t>> Tokenizer::encode_batch(std::span<const std::string> texts,
                                                               const EncodeOptions& options) const {
  std::vector<std::vector<std::int32_t>> ids(texts.size());
  parallel_for(texts.size(), grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) ids[i] = encode(texts[i], options);
  });
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
  if (!parts_->byte_level()) {
    std::vector<std::int32_t> kept(ids.begin(), ids.end());
    if (skip_special) std::erase_if(kept, [this](std::int32_t id) { return is_special(id); });
    return parts_->decode(kept);
  }
  std::string bytes;
  for (const std::int32_t id : ids) {
    if (!skip_special || !is_special(id)) bytes += parts_->encoding.texts[id];
  }
  return valid_utf8(bytes) ? bytes : replace_invalid_utf8(bytes);
}

std::string_view Tokenizer::token_bytes(std::int32_t id) const {
  if (parts_->byte_level() || !parts_->encoding.texts.has(id)) return parts_->encoding.texts[id];
  return parts_->surface_of_id()[static_cast<std::size_t>(id)];
}
bool Tokenizer::is_byte_level() const { return parts_->byte_level(); }
std::int32_t Tokenizer::vocabulary_size() const { return parts_->encoding.texts.size(); }
std::optional<std::int32_t> Tokenizer::token_id(std::string_view text) const {
  return parts_->encoding.texts.find(text);
}
bool Tokenizer::is_special(std::int32_t id) const { return parts_->special_ids.contains(id); }
std::optional<std::int32_t> Tokenizer::bos() const { return parts_->bos; }
std::optional<std::int32_t> Tokenizer::eos() const { return parts_->eos; }
std::optional<std::int32_t> Tokenizer::pad() const { return parts_->pad; }
std::optional<std::int32_t> Tokenizer::unk() const { return parts_->unk; }
const std::vector<std::int32_t>& Tokenizer::stop_ids() const { return parts_->stop_ids; }
const SpecialTokens& Tokenizer::special_tokens() const { return parts_->special; }
const std::vector<NamedTemplate>& Tokenizer::chat_templates() const { return parts_->templates; }
const std::string& Tokenizer::fingerprint() const { return parts_->fingerprint; }

std::string StreamingDecoder::add(std::int32_t id) {
  if (skip_special_ && tokenizer_.is_special(id)) return {};
  if (!tokenizer_.is_byte_level()) return add_spelled(id);
  pending_ += tokenizer_.token_bytes(id);
  const std::size_t whole = pending_.size() - unfinished_utf8(pending_);
  std::string text = replace_invalid_utf8(std::string_view(pending_).substr(0, whole));
  pending_.erase(0, whole);
  return text;
}

std::string StreamingDecoder::add_spelled(std::int32_t id) {
  window_.push_back(id);
  const std::string text = tokenizer_.decode(window_);
  if (text.size() <= shown_.size() || text.ends_with("\uFFFD")) return {};  // the rest of a character may come
  std::string fresh = text.substr(shown_.size());
  window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(settled_));
  settled_ = window_.size();
  shown_ = tokenizer_.decode(window_);
  return fresh;
}

std::string StreamingDecoder::finish() {
  std::string rest = replace_invalid_utf8(std::exchange(pending_, {}));
  if (!window_.empty()) {
    const std::string text = tokenizer_.decode(window_);
    rest += text.substr(std::min(shown_.size(), text.size()));
  }
  window_.clear();
  settled_ = 0;
  shown_.clear();
  return rest;
}

}  // namespace attune
