// One batch layout for everything: a forest of token trees in one stream without padding. A root is a prompt, its
// children are completions (one for SFT, two for pairs, many for groups), conversations go deeper. A prompt is computed
// once, however many completions it has.
//
// A query sees a key iff the key's segment is its own or an ancestor, and inside a causal segment pos(q) >= pos(k).
// Each segment's first token is predicted by its parent's last row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

enum class Mask : std::uint8_t { causal, full };

struct Segment {
  std::int32_t begin = 0, end = 0;  // rows of the stream; never empty
  std::int32_t parent = -1;         // -1: a root; always before its children
  Mask mask = Mask::causal;
  std::int16_t adapter = 0;  // -1: off (the model without its adapter: the reference)
};

// One scored token: row `row` predicts `target`.
struct Read {
  std::int32_t row = 0;
  std::int32_t target = 0;
  std::int32_t response = 0;  // who the token belongs to
  std::int32_t span = 0;      // turn, step or group inside the response
  float weight = 1;
  std::int32_t segment = -1;  // of the target: the row's own, or a child of it
};

// Rows [begin, end) whose embedding comes from elsewhere: an image tower, a soft prompt, a latent.
struct Inject {
  std::int32_t begin = 0, end = 0, source = 0;
};

struct TokenForest {
  Tensor ids;                     // [T] int64
  Tensor positions;               // [axes, T] int64; one axis: the depth along the path from the root
  std::vector<Segment> segments;  // in preorder: all descendants of a segment follow it directly, rows in order
  std::vector<Read> reads;        // by response in order of first mention, then along the path
  std::vector<Inject> injects = {};
  std::vector<std::int32_t> marks = {};  // rows whose states somebody wants, in order of marking

  std::int64_t tokens() const { return ids.defined() ? ids.size(0) : 0; }
};

struct SegmentOptions {
  Mask mask = Mask::causal;
  std::int16_t adapter = 0;
};

struct ReadOptions {
  std::int32_t response = 0;
  std::int32_t span = 0;
  float weight = 1;
};

// Builds forests: segments in any order with parents first, reads in the order in which they shall come out.
class ForestBuilder {
 public:
  // A number for later calls. An empty list of ids adds nothing and gives `parent` back, so that an empty prompt makes
  // its completions roots.
  std::int32_t add(std::span<const std::int32_t> ids, std::int32_t parent = -1, const SegmentOptions& options = {});

  // Scores tokens [first, last) of a segment. The first token of a root has no predictor and is left out.
  // Returns how many reads were added.
  std::int64_t read(std::int32_t segment, std::int64_t first, std::int64_t last, const ReadOptions& options);

  // Marks a token of a segment; in an empty root there is none to mark.
  void mark(std::int32_t segment, std::int64_t token);

  std::int64_t tokens() const { return static_cast<std::int64_t>(ids_.size()); }
  TokenForest build() const;

 private:
  struct Piece {
    std::size_t begin = 0, end = 0;  // of ids_
    std::int32_t parent = -1;
    SegmentOptions options = {};
  };
  struct Wanted {
    std::int32_t segment = 0;
    std::int64_t token = 0;
    ReadOptions options = {};
  };
  std::vector<std::size_t> preorder() const;

  std::vector<std::int32_t> ids_;
  std::vector<Piece> pieces_;
  std::vector<Wanted> wanted_;
  std::vector<std::pair<std::int32_t, std::int64_t>> marked_;
};

// The same reads in the same order with every path from root to leaf as a stream of its own, nothing shared: for
// models whose positions cannot be shared, and to check sharing. A read is on the path of its target, on the first of
// them where several share that.
TokenForest unshared(const TokenForest& forest);

// The same forest with every adapter off.
TokenForest without_adapter(TokenForest forest);

// One root per sequence, with a read of every token but the first; response i is sequence i.
TokenForest forest_of_sequences(std::span<const std::vector<std::int32_t>> sequences);

}  // namespace attune
