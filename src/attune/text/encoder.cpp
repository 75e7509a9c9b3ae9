#include "attune/text/encoder.h"

#include <algorithm>
#include <array>

#include "attune/text/unicode.h"
#include "attune/text/word_cache.h"

namespace attune {
namespace {

// Ids on their way into a vector: the usual word costs one store, the vector grows by blocks.
class IdBlock {
 public:
  explicit IdBlock(std::vector<std::int32_t>& ids) : ids_(ids) {}
  std::int32_t* room() {  // for the ids of one cached word
    if (size_ + WordCache::most_ids > block_.size()) flush();
    return block_.data() + size_;
  }
  void advance(std::size_t count) { size_ += count; }
  void flush() {
    ids_.insert(ids_.end(), block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ = 0;
  }

 private:
  std::vector<std::int32_t>& ids_;
  std::size_t size_ = 0;
  std::array<std::int32_t, 1024> block_;
};

// One text on its way to ids. Positions are in the text given unless they say "piece".
class Encoder {
 public:
  Encoder(const EncodingParts& parts, std::string_view text, const EncodeOptions& options, bool want_spans)
      : parts_(parts), text_(text), options_(options), want_spans_(want_spans) {}

  void run();
  Encoding result = {};

 private:
  // Source position of a position in a normalized piece; `end` asks for the end of the character there.
  struct Mapping {
    const Normalized* normalized = nullptr;
    std::size_t offset = 0;
    std::size_t operator()(std::size_t at, bool end) const {
      if (!normalized || normalized->pieces.empty()) return offset + at;
      const auto& pieces = normalized->pieces;
      const auto behind = [end](std::size_t value, const NormalizedPiece& piece) {
        return end ? value <= piece.end : value < piece.end;
      };
      auto piece = std::upper_bound(pieces.begin(), pieces.end(), at, behind);
      if (piece == pieces.end()) --piece;
      if (piece->changed) return offset + (end ? piece->source_end : piece->source_begin);
      return offset + piece->source_begin + (at - piece->begin);
    }
  };

  // `source(begin, end)`: the bytes of the text given that a stretch of the searched one stands for.
  template <class Source>
  auto allow(Source source) const {
    return [this, source](const AddedToken& token, std::size_t begin, std::size_t end) {
      if (options_.spellings == Spellings::none) return false;
      if (token.special && options_.spellings == Spellings::not_special) return false;
      if (options_.origins.empty()) return true;
      const ByteSpan span = source(begin, end);
      const Origin worst = worst_origin(span.begin, span.end);
      return worst == Origin::trusted || (worst == Origin::assistant && !token.special);
    };
  }

  Origin worst_origin(std::size_t begin, std::size_t end) const {
    Origin worst = Origin::trusted;
    auto span = std::upper_bound(options_.origins.begin(), options_.origins.end(), begin,
                                 [](std::size_t at, const OriginSpan& one) { return at < one.end; });
    for (; span != options_.origins.end() && span->begin < end; ++span) worst = std::max(worst, span->origin);
    return worst;
  }

  void emit_added(const AddedTokenMatch& match, std::size_t begin, std::size_t end) {
    result.ids.push_back(match.token->id);
    if (want_spans_) result.spans.push_back({begin, end});
  }

  void encode_gap(std::size_t begin, std::size_t end) {
    if (begin == end) return;
    if (parts_.pipeline) return encode_generally(begin, end);
    const std::string_view gap = text_.substr(begin, end - begin);
    Normalized normalized;
    if (parts_.nfc) normalized = normalize_nfc(gap);
    const bool changed = !normalized.pieces.empty();
    const std::string_view piece = changed ? std::string_view(normalized.text) : gap;
    const Mapping mapping = {changed ? &normalized : nullptr, begin};
    std::size_t from = 0;
    if (!parts_.normalized_finder.empty()) {
      const auto source = [&](std::size_t first, std::size_t last) {
        return ByteSpan{mapping(first, false), mapping(last, true)};
      };
      for (const AddedTokenMatch& match : parts_.normalized_finder.find(piece, allow(source))) {
        encode_piece(piece, from, match.begin, mapping);
        emit_added(match, mapping(match.begin, false), mapping(match.end, true));
        from = match.end;
      }
    }
    encode_piece(piece, from, piece.size(), mapping);
  }

  void encode_generally(std::size_t begin, std::size_t end) {
    const bool tracked = want_spans_ || !options_.origins.empty();
    const MappedText text =
        parts_.pipeline->normalized(MappedText(std::string(text_.substr(begin, end - begin)), tracked, begin == 0));
    const auto source = [&](std::size_t first, std::size_t last) {
      const ByteSpan span = text.source(first, last);
      return ByteSpan{begin + span.begin, begin + span.end};
    };
    const auto encode_part = [&](std::size_t first, std::size_t last) {
      if (first == last) return;
      const std::size_t before = result.spans.size();
      parts_.pipeline->encode(text.part(first, last), parts_.serial, result.ids, want_spans_ ? &result.spans : nullptr);
      for (std::size_t i = before; i < result.spans.size(); ++i) {
        result.spans[i].begin += begin;
        result.spans[i].end += begin;
      }
    };
    std::size_t from = 0;
    if (!parts_.normalized_finder.empty()) {
      for (const AddedTokenMatch& match : parts_.normalized_finder.find(text.text(), allow(source))) {
        encode_part(from, match.begin);
        const ByteSpan span = source(match.begin, match.end);
        emit_added(match, span.begin, span.end);
        from = match.end;
      }
    }
    encode_part(from, text.size());
  }

  void encode_piece(std::string_view gap, std::size_t begin, std::size_t end, const Mapping& mapping) {
    if (!parts_.pre_tokenizer.separate_digits) return encode_words(gap, begin, end, mapping);
    std::size_t from = begin;
    for (std::size_t at = begin; at < end;) {
      const CodePoint c = code_point_at(gap, at);
      if (is_number(c.value)) {
        encode_words(gap, from, at, mapping);
        encode_words(gap, at, at + c.size, mapping);
        from = at + c.size;
      }
      at += c.size;
    }
    encode_words(gap, from, end, mapping);
  }

  void encode_words(std::string_view gap, std::size_t begin, std::size_t end, const Mapping& mapping) {
    if (begin == end) return;
    std::string_view text = gap.substr(begin, end - begin);
    std::string prefixed;
    std::size_t added = 0;
    if (parts_.pre_tokenizer.add_prefix_space && text.front() != ' ') {
      prefixed = " ";
      prefixed += text;
      text = prefixed;
      added = 1;
    }
    Words words(text, parts_.pre_tokenizer.pattern);
    std::size_t at = 0;  // in `text`
    const auto source = [&](std::size_t position, bool is_end) {
      return mapping(begin + (position > added ? position - added : 0), is_end && position > added);
    };
    const char* const text_end = text.data() + text.size();
    for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
      const std::size_t first = result.ids.size();
      encode_word(word, static_cast<std::size_t>(text_end - word.data()));
      if (!want_spans_) continue;
      ids_.flush();
      for (std::size_t i = first; i < result.ids.size(); ++i) {
        const std::size_t size = parts_.texts[result.ids[i]].size();
        result.spans.push_back({source(at, false), source(at + size, true)});
        at += size;
      }
    }
    ids_.flush();
  }

  // `readable`: bytes of the text from the word's begin on.
  void encode_word(std::string_view word, std::size_t readable) {
    const bool is_short = word.size() <= WordCache::longest;
    WordCache::Key key;
    if (is_short) {
      key = WordCache::key_of(word, readable);
      const std::size_t known = cache_.find(key, ids_.room());
      ids_.advance(known);
      if (known != 0) return;
    }
    ids_.flush();
    const std::size_t first = result.ids.size();
    parts_.bpe.encode(word, result.ids);
    const auto fresh = std::span<const std::int32_t>(result.ids).subspan(first);
    if (is_short && fresh.size() <= WordCache::most_ids) cache_.store(key, fresh);
  }

  const EncodingParts& parts_;
  std::string_view text_;
  const EncodeOptions& options_;
  bool want_spans_;
  WordCache& cache_ = WordCache::of_this_thread(parts_.serial);
  IdBlock ids_{result.ids};
};

void Encoder::run() {
  std::size_t from = 0;
  if (!parts_.raw_finder.empty()) {
    const auto source = [](std::size_t begin, std::size_t end) { return ByteSpan{begin, end}; };
    for (const AddedTokenMatch& match : parts_.raw_finder.find(text_, allow(source))) {
      encode_gap(from, match.begin);
      emit_added(match, match.begin, match.end);
      from = match.end;
    }
  }
  encode_gap(from, text_.size());
}

}  // namespace

Encoding encode_text(const EncodingParts& parts, std::string_view text, const EncodeOptions& options, bool want_spans) {
  Encoder encoder(parts, text, options, want_spans);
  encoder.run();
  return std::move(encoder.result);
}

}  // namespace attune
