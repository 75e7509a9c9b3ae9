#include "attune/model/trunk.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/sin.h>

#include <algorithm>

#include "attune/tensor/device.h"
#include "attune/tensor/recompute.h"

namespace attune {
namespace {

Residual recomputed_block(const Family& family, std::size_t layer, const Residual& x,
                          std::shared_ptr<const BlockContext> context) {
  const Piece piece = [&family, layer, context = std::move(context)](const std::vector<Tensor>& in) {
    const Residual out = family.block(layer, {in[0], in.size() > 1 ? in[1] : Tensor(), {}}, *context);
    std::vector<Tensor> tensors = {out.sum, out.delta};
    if (out.routing.defined()) tensors.push_back(out.routing);
    return tensors;
  };
  std::vector<Tensor> inputs = {x.sum};
  if (x.delta.defined()) inputs.push_back(x.delta);
  const std::vector<Tensor> out = recompute(piece, inputs);
  return {out[0], out[1], out.size() > 2 ? out[2] : Tensor()};
}

Residual select(const Residual& x, const Tensor& rows) {
  if (!rows.defined()) return x;
  return {x.sum.index_select(0, rows), x.delta.defined() ? x.delta.index_select(0, rows) : Tensor(), {}};
}

// The context of the last block, behind whose attention only `rows` go on: what predicts nothing needs no more than
// keys and values there.
std::shared_ptr<const BlockContext> context_for_rows(const BlockContext& all, const Tensor& rows, at::Device device) {
  auto context = std::make_shared<BlockContext>(all);
  context->rows = moved(rows, device);
  const std::int64_t* row = rows.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const bool on = std::any_of(all.adapted.begin(), all.adapted.end(),
                                [&](const auto& range) { return row[i] >= range.first && row[i] < range.second; });
    if (!on) continue;
    if (!context->adapted_rows.empty() && context->adapted_rows.back().second == i) {
      ++context->adapted_rows.back().second;
    } else {
      context->adapted_rows.emplace_back(i, i + 1);
    }
  }
  return context;
}

Angles angles_of(const std::vector<double>& frequencies, const Tensor& positions, double magnitude,
                 const at::TensorOptions& options) {
  const Tensor rates = at::empty({static_cast<std::int64_t>(frequencies.size())}, at::TensorOptions(at::kDouble));
  std::copy(frequencies.begin(), frequencies.end(), rates.mutable_data_ptr<double>());
  const at::Device device = options.device();
  const Tensor angles = at::outer(moved(positions, device).to(at::kDouble), moved(rates, device));
  const at::ScalarType dtype = c10::typeMetaToScalarType(options.dtype());
  return {(at::cos(angles) * magnitude).to(dtype), (at::sin(angles) * magnitude).to(dtype)};
}

Angles angles_at(const RotaryConfig& rotary, const SequencePositions& positions, const at::TensorOptions& options) {
  std::vector<Tensor> cosines, sines;
  const auto& sequences = positions.sequences;
  for (std::size_t i = 0; i < sequences.size();) {
    const std::int64_t regime = rotary_regime(rotary, sequences[i].length);
    std::size_t next = i + 1;
    while (next < sequences.size() && rotary_regime(rotary, sequences[next].length) == regime) ++next;
    const Angles part =
        angles_of(rotary_frequencies(rotary, sequences[i].length),
                  positions.at.slice(0, sequences[i].begin, sequences[next - 1].end), rotary.magnitude, options);
    cosines.push_back(part.cosines);
    sines.push_back(part.sines);
    i = next;
  }
  return cosines.size() == 1 ? Angles{cosines[0], sines[0]} : Angles{at::cat(cosines), at::cat(sines)};
}

}  // namespace

SequencePositions positions_of(const TokenForest& forest) {
  SequencePositions result{.at = forest.positions[0]};
  const std::int64_t* positions = result.at.const_data_ptr<std::int64_t>();
  for (const Segment& segment : forest.segments) {
    if (segment.parent < 0) result.sequences.push_back({segment.begin, segment.end, 0});
    SequenceRows& tree = result.sequences.back();
    tree.end = segment.end;
    tree.length = std::max(tree.length, positions[segment.end - 1] + 1);
  }
  return result;
}

TokenForest with_equal_rotation(const TokenForest& forest, const ModelConfig& config) {
  if (forest.segments.empty()) return forest;
  const std::int64_t* positions = forest.positions.const_data_ptr<std::int64_t>();
  std::vector<bool> ends(forest.segments.size(), true);  // a sequence ends with this segment
  for (const Segment& segment : forest.segments) {
    if (segment.parent >= 0) ends[static_cast<std::size_t>(segment.parent)] = false;
  }
  std::int64_t own = 0;  // the regime of the tree's sequences so far
  bool first = true;
  for (std::size_t i = 0; i < forest.segments.size(); ++i) {
    if (forest.segments[i].parent < 0) first = true;
    if (!ends[i]) continue;
    const std::int64_t length = positions[forest.segments[i].end - 1] + 1;
    const std::int64_t regime =
        rotary_regime(config.rotary, length) + (config.local_rotary ? rotary_regime(*config.local_rotary, length) : 0);
    if (!first && regime != own) return unshared(forest);
    own = regime;
    first = false;
  }
  return forest;
}

void set_rotary(BlockContext& context, const ModelConfig& config, const SequencePositions& positions,
                const at::TensorOptions& options) {
  if (config.rotary.width > 0) context.angles = angles_at(config.rotary, positions, options);
  if (config.local_rotary) context.local_angles = angles_at(*config.local_rotary, positions, options);
}

TokenRanges adapted_rows(const TokenForest& forest) {
  TokenRanges ranges;
  for (const Segment& segment : forest.segments) {
    if (segment.adapter < 0) continue;
    if (!ranges.empty() && ranges.back().second == segment.begin) {
      ranges.back().second = segment.end;
    } else {
      ranges.emplace_back(segment.begin, segment.end);
    }
  }
  return ranges;
}

namespace {

Tensor embed(const Family& family, const TrunkInput& input, at::Device device) {
  const Tensor ids = moved(input.ids, device), positions = moved(input.positions, device);
  if (!input.embedding.defined()) return family.embed(ids, positions, {});
  std::vector<Tensor> pieces;
  std::int64_t at = 0;
  const auto add = [&](std::int64_t begin, std::int64_t end, const Tensor& table) {
    if (begin < end) pieces.push_back(family.embed(ids.slice(0, begin, end), positions.slice(0, begin, end), table));
  };
  for (const auto& [begin, end] : input.context->adapted) {
    add(at, begin, {});
    add(begin, end, input.embedding);
    at = end;
  }
  add(at, ids.size(0), {});
  return pieces.size() == 1 ? pieces.front() : at::cat(pieces);
}

}  // namespace

TrunkOutput run_trunk(const Family& family, std::int64_t layers, const TrunkInput& input) {
  TrunkOutput output;
  const at::Device device = family.head().weight.device();
  const Tensor rows = moved(input.rows, device);
  Residual x{.sum = embed(family, input, device), .delta = {}};
  const auto last = static_cast<std::size_t>(layers) - 1;
  const bool narrows = input.rows.defined() && !input.states && !input.routing;
  for (std::size_t layer = 0; layer <= last; ++layer) {
    const auto context =
        narrows && layer == last ? context_for_rows(*input.context, input.rows, device) : input.context;
    x = input.recompute ? recomputed_block(family, layer, x, context) : family.block(layer, x, *context);
    if (input.states) {
      const Residual at_rows = select(x, rows);
      output.states.push_back(at_rows.delta.defined() ? at_rows.sum + at_rows.delta : at_rows.sum);
    }
    if (input.routing && x.routing.defined()) {
      output.routing = output.routing.defined() ? output.routing + x.routing : x.routing;
    }
  }
  output.hidden = family.norm(narrows ? x : select(x, rows));
  return output;
}

}  // namespace attune
