#include "attune/text/files/sentence_pieces.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "attune/text/models/prefix_tree.h"

namespace attune {
namespace {

using Type = SentencePieces::Type;
constexpr std::string_view mark = "\u2581";

// One text on its way through SentencePiece's normalizer.
class Normalizing {
 public:
  struct Rules {
    std::shared_ptr<const PrecompiledMap> map = {};
    PrefixTree kept = {};
    splitters::Prefix prefix = splitters::Prefix::first;
    bool remove_extra = true, escape = true, suffix = false;
  };

  Normalizing(const Rules& rules, const MappedText& text) : rules_(rules), text_(text), edit_(text) {}

  MappedText run() {
    std::size_t at = 0;
    while (rules_.remove_extra && at < text_.size() && next(at).to == " ") at += next(at).size;
    if (at == text_.size()) return edit_.finish();
    const bool marked =
        rules_.prefix == splitters::Prefix::always || (rules_.prefix == splitters::Prefix::first && text_.at_start());
    if (marked && !rules_.suffix) edit_.put(blank(), at, at + code_point_at(text_.text(), at).size);
    bool after_blank = rules_.remove_extra;
    while (at < text_.size()) {
      const PrecompiledMap::Match piece = next(at);
      std::string_view to = piece.to;
      while (after_blank && to.starts_with(' ')) to.remove_prefix(1);
      if (!to.empty()) {
        write(to, at, at + piece.size);
        after_blank = rules_.remove_extra && to.ends_with(' ');
      }
      at += piece.size;
    }
    MappedText result = edit_.finish();
    if (rules_.remove_extra) result = without_blanks_behind(std::move(result));
    if (!marked || !rules_.suffix || result.size() == 0) return result;
    TextEdit suffixed(result);
    suffixed.keep(0, result.size());
    suffixed.put(blank(), result.size(), result.size());
    return suffixed.finish();
  }

 private:
  std::string_view blank() const { return rules_.escape ? mark : " "; }

  // What the longest beginning with a rule becomes; a character without one stays.
  PrecompiledMap::Match next(std::size_t at) const {
    const std::string_view rest = text_.text().substr(at);
    std::size_t kept = 0;
    rules_.kept.prefixes(rest, [&](std::size_t size, std::int32_t) { kept = size; });
    if (kept > 0) return {kept, rest.substr(0, kept)};
    if (rules_.map) {
      if (const auto rule = rules_.map->longest(rest)) return *rule;
    }
    const std::size_t size = code_point_at(rest, 0).size;
    return {size, rest.substr(0, size)};
  }

  void write(std::string_view to, std::size_t begin, std::size_t end) {
    const bool unchanged = to.data() == text_.text().data() + begin && to.size() == end - begin;
    if (unchanged && (!rules_.escape || to.find(' ') == to.npos)) return edit_.keep(begin, end);
    std::string bytes;
    for (const char c : to) {
      if (c == ' ' && rules_.escape) {
        bytes += mark;
      } else {
        bytes += c;
      }
    }
    edit_.put(bytes, begin, end);
  }

  MappedText without_blanks_behind(MappedText text) const {
    std::size_t end = text.size();
    while (text.text().substr(0, end).ends_with(blank())) end -= blank().size();
    if (end == text.size()) return text;
    TextEdit edit(text);
    edit.keep(0, end);
    return edit.finish();
  }

  const Rules& rules_;
  const MappedText& text_;
  TextEdit edit_;
};

// All ways to make a piece of two symbols. Pieces of equal score are equally good.
class MergeMaker {
 public:
  MergeMaker(const SentencePieces& source, ModelPart& part) : source_(source), part_(part) {}

  void run() {
    std::vector<std::int32_t> order;
    for (std::size_t i = 0; i < source_.pieces.size(); ++i) {
      if (source_.pieces[i].type != Type::normal) continue;
      order.push_back(static_cast<std::int32_t>(i));
      add_characters(source_.pieces[i].text);
    }
    std::ranges::stable_sort(order, std::greater(), [&](std::int32_t id) { return piece(id).score; });
    std::int32_t rank = -1;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i == 0 || piece(order[i]).score != piece(order[i - 1]).score) ++rank;
      add_merges(order[i], rank);
    }
  }

 private:
  const SentencePieces::Piece& piece(std::int32_t id) const { return source_.pieces[static_cast<std::size_t>(id)]; }

  // Characters that occur in pieces but are none are symbols all the same.
  void add_characters(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = code_point_at(text, at).size;
      std::string character = text.substr(at, size);
      at += size;
      if (symbols_.find(character) != StringTable::none) continue;
      symbols_.insert(character);
      if (part_.ids.contains(character)) continue;
      const auto id = part_.limit + virtual_++;
      part_.tokens.push_back({.text = character, .id = id});
      part_.ids.emplace(std::move(character), id);
    }
  }

  void add_merges(std::int32_t id, std::int32_t rank) {
    const std::string& text = piece(id).text;
    for (std::size_t cut = code_point_at(text, 0).size; cut < text.size(); cut += code_point_at(text, cut).size) {
      const auto left = part_.ids.find(text.substr(0, cut));
      if (left == part_.ids.end()) continue;
      const auto right = part_.ids.find(text.substr(cut));
      if (right == part_.ids.end()) continue;
      part_.merges.push_back({left->second, right->second, id, rank});
    }
  }

  const SentencePieces& source_;
  ModelPart& part_;
  StringTable symbols_;
  std::int32_t virtual_ = 0;
};

ModelPart model_part_of(const JsonFields& fields, const SentencePieces& source) {
  ModelPart part = {.kind = source.unigram ? ModelPart::Kind::unigram : ModelPart::Kind::bpe};
  part.fuse_unknown = true;
  part.byte_fallback = source.byte_fallback;
  part.single_precision = true;
  part.limit = static_cast<std::int32_t>(source.pieces.size());
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < source.pieces.size(); ++i) {
    const SentencePieces::Piece& piece = source.pieces[i];
    const std::string field = JsonFields::entry("pieces", i);
    if (piece.text.empty()) fields.fail(field, "an empty piece", "a text");
    if (!valid_utf8(piece.text)) fields.fail(field, "a piece that is no UTF-8", "a text");
    if (!std::isfinite(piece.score)) fields.fail(field, "a score that is no number", "a number");
    if (!seen.insert(piece.text).second) fields.fail(field, "a piece for the second time", "pieces written once");
    if (piece.type == Type::unused && !source.unigram)
      fields.fail(field, "an unused piece of a BPE model", "none", "use the tokenizer.json of this model");
    const auto id = static_cast<std::int32_t>(i);
    const bool in_text = piece.type == Type::normal || piece.type == Type::user_defined;
    part.tokens.push_back({.text = piece.text,
                           .id = id,
                           .score = static_cast<double>(piece.score),
                           .found_in_text = in_text,
                           .frozen = piece.type == Type::user_defined});
    if (in_text || piece.type == Type::byte) part.ids.emplace(piece.text, id);
    if (piece.type == Type::unknown) part.unknown = id;
  }
  if (!part.unknown) fields.fail("pieces", "no unknown piece", "one");
  return part;
}

}  // namespace

normalizers::Step sentence_piece_normalizer(const SentencePieces& source) {
  std::vector<PrefixTree::Entry> kept;
  for (const SentencePieces::Piece& piece : source.pieces) {
    if (piece.type == Type::user_defined) kept.push_back({piece.text, 0});
  }
  auto rules = std::make_shared<Normalizing::Rules>();
  *rules = {.map = source.rules,
            .kept = PrefixTree(std::move(kept)),
            .prefix = source.prefix,
            .remove_extra = source.remove_extra_blanks,
            .escape = source.escape_blanks,
            .suffix = source.blank_is_suffix};
  return [rules](MappedText text) { return Normalizing(*rules, text).run(); };
}

void set_sentence_pieces(TokenizerFile& file, const JsonFields& fields, const SentencePieces& source) {
  ModelPart part = model_part_of(fields, source);
  if (!source.unigram) MergeMaker(source, part).run();
  auto pipeline = std::make_shared<Pipeline>();
  pipeline->normalizer.push_back(sentence_piece_normalizer(source));
  pipeline->model = make_model(part);
  pipeline->decoder = {decoders::replace(std::string(mark), " "), decoders::byte_fallback(), decoders::fuse()};
  if (source.prefix != splitters::Prefix::never) {
    const std::size_t at_end = source.blank_is_suffix ? 1 : 0;
    pipeline->decoder.push_back(decoders::strip(" ", 1 - at_end, at_end));
  }
  file.pipeline = std::move(pipeline);
  for (std::size_t i = 0; i < source.pieces.size(); ++i) {
    const auto& [text, score, type] = source.pieces[i];
    const auto id = static_cast<std::int32_t>(i);
    file.vocabulary.push_back({text, id});
    if (type == Type::control || type == Type::unknown)
      file.added.push_back({.id = id, .content = text, .special = true});
  }
}

}  // namespace attune
