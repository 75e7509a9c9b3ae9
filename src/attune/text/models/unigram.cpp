#include "attune/text/models/unigram.h"

#include <algorithm>

#include "attune/text/unicode.h"

namespace attune {
namespace {

constexpr double unknown_penalty = 10;

// The best way to the end of a prefix of the piece.
template <class Real>
struct Best {
  Real score = 0;
  std::int32_t begin = -1;  // of its last token; -1: no way yet
  std::int32_t entry = -1;  // -1: an unknown character
};

}  // namespace

Unigram::Unigram(std::span<const Entry> vocabulary, const Options& options) : options_(options) {
  std::vector<PrefixTree::Entry> entries;
  for (const Entry& entry : vocabulary) {
    entries.push_back({entry.text, static_cast<std::int32_t>(ids_.size())});
    ids_.push_back(entry.id);
    scores_.push_back(entry.score);
  }
  tree_ = PrefixTree(std::move(entries));
  byte_fallback_ = std::ranges::none_of(options_.byte_ids, [](std::int32_t id) { return id < 0; });
}

void Unigram::encode(std::string_view piece, std::vector<ModelToken>& tokens) const {
  options_.single_precision ? encode_with<float>(piece, tokens) : encode_with<double>(piece, tokens);
}

template <class Real>
void Unigram::encode_with(std::string_view piece, std::vector<ModelToken>& tokens) const {
  std::vector<Best<Real>> best(piece.size() + 1);
  const double unknown_score = options_.lowest_score - unknown_penalty;
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t character = code_point_at(piece, at).size;
    const Real so_far = best[at].score;
    const auto offer = [&](std::size_t end, double score, std::int32_t entry) {
      const double candidate = score + static_cast<double>(so_far);
      if (best[end].begin >= 0 && !(candidate > static_cast<double>(best[end].score))) return;
      best[end] = {static_cast<Real>(candidate), static_cast<std::int32_t>(at), entry};
    };
    bool single = false;
    tree_.prefixes(piece.substr(at), [&](std::size_t size, std::int32_t entry) {
      offer(at + size, scores_[static_cast<std::size_t>(entry)], entry);
      single |= size == character;
    });
    if (!single) offer(at + character, unknown_score, -1);
    at += character;
  }
  std::vector<ModelToken> backwards;
  for (std::size_t end = piece.size(); end > 0;) {
    const Best<Real>& last = best[end];
    const auto begin = static_cast<std::uint32_t>(last.begin);
    const std::int32_t id = last.entry < 0 ? options_.unknown : ids_[static_cast<std::size_t>(last.entry)];
    const bool fused = id == options_.unknown && !backwards.empty() && backwards.back().id == id;
    if (fused) {
      backwards.back().begin = begin;
    } else {
      backwards.push_back({id, begin, static_cast<std::uint32_t>(end)});
    }
    end = begin;
  }
  for (auto token = backwards.rbegin(); token != backwards.rend(); ++token) {
    if (token->id == options_.unknown) {
      add_unknown(piece, *token, tokens);
    } else {
      tokens.push_back(*token);
    }
  }
}

void Unigram::add_unknown(std::string_view piece, const ModelToken& token, std::vector<ModelToken>& tokens) const {
  if (!byte_fallback_) {
    tokens.push_back(token);
    return;
  }
  for (std::uint32_t at = token.begin; at < token.end; ++at)
    tokens.push_back({options_.byte_ids[static_cast<unsigned char>(piece[at])], at, at + 1});
}

}  // namespace attune
