#include "attune/model/token_forest.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "attune/base/errors.h"

namespace attune {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

}  // namespace

std::int32_t ForestBuilder::add(std::span<const std::int32_t> ids, std::int32_t parent, const SegmentOptions& options) {
  require(parent < static_cast<std::int32_t>(pieces_.size()), "a segment whose parent does not exist yet");
  if (ids.empty()) return parent;
  require(ids_.size() + ids.size() < (std::size_t{1} << 31), "a forest of 2^31 tokens");
  pieces_.push_back({ids_.size(), ids_.size() + ids.size(), parent, options});
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  return static_cast<std::int32_t>(pieces_.size() - 1);
}

std::int64_t ForestBuilder::read(std::int32_t segment, std::int64_t first, std::int64_t last,
                                 const ReadOptions& options) {
  if (segment < 0) {
    require(first >= last, "reads of an empty root");
    return 0;
  }
  const Piece& piece = pieces_.at(index(segment));
  require(0 <= first && last <= static_cast<std::int64_t>(piece.end - piece.begin), "reads outside their segment");
  if (piece.parent < 0) first = std::max<std::int64_t>(first, 1);
  for (std::int64_t token = first; token < last; ++token) wanted_.push_back({segment, token, options});
  return std::max<std::int64_t>(0, last - first);
}

void ForestBuilder::mark(std::int32_t segment, std::int64_t token) {
  const Piece& piece = pieces_.at(index(segment));
  require(0 <= token && token < static_cast<std::int64_t>(piece.end - piece.begin), "a mark outside its segment");
  marked_.emplace_back(segment, token);
}

// Depth first, children in order of addition, without recursion.
std::vector<std::size_t> ForestBuilder::preorder() const {
  std::vector<std::vector<std::size_t>> children(pieces_.size());
  std::vector<std::size_t> stack, order;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (pieces_[i].parent >= 0) {
      children[index(pieces_[i].parent)].push_back(i);
    } else {
      stack.push_back(i);
    }
  }
  std::reverse(stack.begin(), stack.end());
  while (!stack.empty()) {
    const std::size_t piece = stack.back();
    stack.pop_back();
    order.push_back(piece);
    stack.insert(stack.end(), children[piece].rbegin(), children[piece].rend());
  }
  return order;
}

TokenForest ForestBuilder::build() const {
  const auto tokens = static_cast<std::int64_t>(ids_.size());
  TokenForest forest;
  forest.ids = at::empty({tokens}, at::TensorOptions(at::kLong));
  forest.positions = at::empty({1, tokens}, at::TensorOptions(at::kLong));
  std::int64_t* ids = forest.ids.mutable_data_ptr<std::int64_t>();
  std::int64_t* positions = forest.positions.mutable_data_ptr<std::int64_t>();
  std::vector<std::int32_t> place(pieces_.size());  // of each piece among the segments
  std::int32_t row = 0;
  for (const std::size_t i : preorder()) {
    const Piece& piece = pieces_[i];
    const std::int32_t parent = piece.parent >= 0 ? place[index(piece.parent)] : -1;
    place[i] = static_cast<std::int32_t>(forest.segments.size());
    const auto length = static_cast<std::int32_t>(piece.end - piece.begin);
    std::int64_t position = parent >= 0 ? positions[forest.segments[index(parent)].end - 1] + 1 : 0;
    forest.segments.push_back({row, row + length, parent, piece.options.mask, piece.options.adapter});
    for (std::size_t token = piece.begin; token < piece.end; ++token, ++row) {
      ids[row] = ids_[token];
      positions[row] = position++;
    }
  }
  for (const auto& [segment, token, options] : wanted_) {
    const Segment& at = forest.segments[index(place[index(segment)])];
    const auto own = static_cast<std::int32_t>(at.begin + token);
    const std::int32_t predictor = token > 0 ? own - 1 : forest.segments[index(at.parent)].end - 1;
    forest.reads.push_back({predictor, static_cast<std::int32_t>(ids[own]), options.response, options.span,
                            options.weight, place[index(segment)]});
  }
  for (const auto& [segment, token] : marked_) {
    forest.marks.push_back(static_cast<std::int32_t>(forest.segments[index(place[index(segment)])].begin + token));
  }
  return forest;
}

TokenForest unshared(const TokenForest& forest) {
  const std::int64_t* ids = forest.ids.const_data_ptr<std::int64_t>();
  std::vector<bool> leaf(forest.segments.size(), true);
  for (const Segment& segment : forest.segments) {
    if (segment.parent >= 0) leaf[index(segment.parent)] = false;
  }
  TokenForest result;
  std::vector<std::int64_t> stream, positions;
  std::vector<std::int32_t> first_copy(index(forest.tokens()), -1);
  std::vector<std::int32_t> before(forest.segments.size(), -1);  // the row before each segment's first copy
  std::vector<std::int32_t> segment_copy(forest.segments.size(), -1);
  for (std::size_t i = 0; i < forest.segments.size(); ++i) {
    if (!leaf[i]) continue;
    std::vector<std::size_t> path;
    for (auto at = static_cast<std::int32_t>(i); at >= 0; at = forest.segments[index(at)].parent)
      path.push_back(index(at));
    const auto begin = static_cast<std::int32_t>(stream.size());
    std::int32_t parent = -1;
    for (auto at = path.rbegin(); at != path.rend(); ++at) {
      const Segment& segment = forest.segments[*at];
      const auto first = static_cast<std::int32_t>(stream.size());
      if (before[*at] < 0) before[*at] = first - 1;
      for (std::int32_t row = segment.begin; row < segment.end; ++row) {
        if (first_copy[index(row)] < 0) first_copy[index(row)] = static_cast<std::int32_t>(stream.size());
        positions.push_back(static_cast<std::int64_t>(stream.size()) - begin);
        stream.push_back(ids[row]);
      }
      result.segments.push_back(
          {first, static_cast<std::int32_t>(stream.size()), parent, segment.mask, segment.adapter});
      parent = static_cast<std::int32_t>(result.segments.size() - 1);
      if (segment_copy[*at] < 0) segment_copy[*at] = parent;
    }
  }
  result.reads = forest.reads;
  for (Read& read : result.reads) {
    const bool own = read.row >= forest.segments[index(read.segment)].begin;  // else the last row of the parent
    read.row = own ? first_copy[index(read.row)] : before[index(read.segment)];
    read.segment = segment_copy[index(read.segment)];
  }
  for (const std::int32_t row : forest.marks) result.marks.push_back(first_copy[index(row)]);
  result.ids = at::empty({static_cast<std::int64_t>(stream.size())}, at::TensorOptions(at::kLong));
  result.positions = at::empty({1, result.ids.size(0)}, at::TensorOptions(at::kLong));
  std::copy(stream.begin(), stream.end(), result.ids.mutable_data_ptr<std::int64_t>());
  std::copy(positions.begin(), positions.end(), result.positions.mutable_data_ptr<std::int64_t>());
  return result;
}

TokenForest without_adapter(TokenForest forest) {
  for (Segment& segment : forest.segments) segment.adapter = -1;
  return forest;
}

TokenForest forest_of_sequences(std::span<const std::vector<std::int32_t>> sequences) {
  ForestBuilder builder;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::int32_t segment = builder.add(sequences[i]);
    builder.read(segment, 0, static_cast<std::int64_t>(sequences[i].size()),
                 {.response = static_cast<std::int32_t>(i)});
  }
  return builder.build();
}

}  // namespace attune
