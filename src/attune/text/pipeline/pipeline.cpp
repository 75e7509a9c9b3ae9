#include "attune/text/pipeline/pipeline.h"

#include "attune/text/word_cache.h"

namespace attune {
namespace {

// Encodes parts of pieces, and short ones from the cache when nobody asks for spans.
class PartEncoder {
 public:
  PartEncoder(const Pipeline& pipeline, std::uint64_t serial, std::vector<std::int32_t>& ids,
              std::vector<ByteSpan>* spans)
      : pipeline_(pipeline), cache_(WordCache::of_this_thread(serial)), ids_(ids), spans_(spans) {}

  void encode(const MappedText& text, std::size_t begin, std::size_t end) {
    const std::string_view part = text.text().substr(begin, end - begin);
    const bool cached = !spans_ && part.size() <= WordCache::longest;
    WordCache::Key key;
    if (cached) {
      key = WordCache::key_of(part, text.size() - begin);
      const std::size_t known = cache_.find(key, known_.data());
      ids_.insert(ids_.end(), known_.begin(), known_.begin() + static_cast<std::ptrdiff_t>(known));
      if (known != 0) return;
    }
    tokens_.clear();
    pipeline_.model->encode(part, tokens_);
    const std::size_t first = ids_.size();
    for (const ModelToken& token : tokens_) {
      ids_.push_back(token.id);
      if (spans_) spans_->push_back(text.source(begin + token.begin, begin + token.end));
    }
    const auto fresh = std::span<const std::int32_t>(ids_).subspan(first);
    if (cached && !fresh.empty() && fresh.size() <= WordCache::most_ids) cache_.store(key, fresh);
  }

 private:
  const Pipeline& pipeline_;
  WordCache& cache_;
  std::vector<std::int32_t>& ids_;
  std::vector<ByteSpan>* spans_;
  std::vector<ModelToken> tokens_;
  std::array<std::int32_t, WordCache::most_ids> known_ = {};
};

}  // namespace

MappedText Pipeline::normalized(MappedText text) const {
  for (const normalizers::Step& step : normalizer) text = step(std::move(text));
  return text;
}

void Pipeline::encode(MappedText text, std::uint64_t serial, std::vector<std::int32_t>& ids,
                      std::vector<ByteSpan>* spans) const {
  Pieces pieces(std::move(text));
  for (const splitters::Step& step : splitter) step(pieces);
  PartEncoder encoder(*this, serial, ids, spans);
  for (const ByteSpan& piece : pieces.pieces) {
    const std::string_view whole = pieces.text.text().substr(0, piece.end);
    for (std::size_t at = piece.begin; at < piece.end;) {
      const std::size_t end = piece.begin + model->part_end(whole.substr(piece.begin), at - piece.begin);
      encoder.encode(pieces.text, at, end);
      at = end;
    }
  }
}

std::string Pipeline::decode(std::vector<std::string> spellings) const {
  for (const decoders::Step& step : decoder) step(spellings);
  std::string text;
  for (const std::string& spelling : spellings) text += spelling;
  return text;
}

}  // namespace attune
