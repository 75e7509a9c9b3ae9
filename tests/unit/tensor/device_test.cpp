// What a tensor's device changes. libtorch's meta device has shapes and no memory: a kernel of ours, a value read by
// the host or a CPU tensor mixed in is an error there, so what runs on it runs on any device.
#include "attune/tensor/device.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attune/base/errors.h"
#include "attune/tensor/adamw.h"
#include "attune/tensor/adamw_pieces.h"
#include "attune/tensor/in_place.h"
#include "attune/tensor/log_probs.h"
#include "attune/tensor/operations.h"
#include "attune/tensor/parameters.h"
#include "attune/tensor/products.h"
#include "attune/tensor/reference.h"
#include "attune/tensor/rotary.h"
#include "attune/tensor/rows.h"
#include "attune/tensor/tree_attention.h"
#include "support/meta_operations.h"

namespace attune {
namespace {

const at::TensorOptions meta = at::TensorOptions(at::kFloat).device(at::kMeta);

Tensor leaf(at::IntArrayRef shape, const at::TensorOptions& options = meta) {
  return at::randn(shape, options).set_requires_grad(true);
}

// The gradient of the sum reaches every leaf, on the leaf's device and in its shape.
void expect_gradients(const Tensor& result, const std::vector<Tensor>& leaves) {
  EXPECT_TRUE(result.is_meta());
  result.sum().backward();
  for (const Tensor& one : leaves) {
    ASSERT_TRUE(one.grad().defined());
    EXPECT_TRUE(one.grad().is_meta());
    EXPECT_EQ(one.grad().sizes(), one.sizes());
  }
}

TEST(Device, NamesAreThoseOfTorch) {
  for (const char* name : {"auto", "cpu", "cuda", "cuda:0", "cuda:7", "cuda:127"}) EXPECT_TRUE(is_device_name(name));
  for (const char* name : {"", "gpu", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:01", "cuda:128", "cuda:1x", "meta"}) {
    EXPECT_FALSE(is_device_name(name)) << name;
  }
  EXPECT_EQ(find_device("cpu"), at::Device(at::kCPU));
}

TEST(Device, WhatIsNotThereIsRefusedAndAutoTakesWhatIs) {
  const auto found = gpus();
  EXPECT_EQ(find_device("auto"), found.empty() ? at::Device(at::kCPU) : at::Device(at::kCUDA, 0));
  EXPECT_THROW(find_device("cuda:" + std::to_string(found.size())), DeviceError);
}

TEST(Device, TensorsOfTheCpuAreNotCopiedToIt) {
  const Tensor tensor = at::arange(6);
  EXPECT_TRUE(moved(tensor, at::kCPU).is_same(tensor));
  EXPECT_TRUE(moved(tensor, at::kMeta).is_meta());
  EXPECT_FALSE(moved(Tensor(), at::kMeta).defined());
}

TEST(Device, KernelsRefuseTensorsOfOtherDevices) {
  EXPECT_THROW(with_type(at::empty({2}, meta), [](auto) {}), InternalError);
}

TEST(Device, OperationsOfABlockRunWithoutTheirKernels) {
  const Tensor x = leaf({5, 12}), delta = leaf({5, 12}), weight = leaf({12});
  const auto [normed, sum] = rms_norm_residual(x, delta, weight, 1e-6);
  expect_gradients(normed + sum, {x, delta, weight});
  const Tensor cosines = at::empty({5, 2}, meta), sines = at::empty({5, 2}, meta);
  const Tensor projected = leaf({5, 16});
  const Heads heads = split_heads(projected, 2, 1, cosines, sines);
  EXPECT_EQ(heads.keys.sizes(), (at::IntArrayRef{5, 1, 4}));
  expect_gradients(at::add(heads.queries.sum(), heads.keys.sum()) + heads.values.sum(), {projected});
  for (const RotaryPairs pairs : {RotaryPairs::halves, RotaryPairs::neighbours}) {
    const Tensor turned = leaf({5, 2, 4});
    expect_gradients(rotate_heads(turned, cosines, sines, pairs), {turned});
  }
  const Tensor gate_up = leaf({5, 8});
  expect_gradients(swiglu(gate_up), {gate_up});
}

TEST(Device, MatricesAddTheirGradientsInPlaceOnAnyDevice) {
  const Tensor x = leaf({5, 12}), weight = leaf({8, 12}), bias = leaf({8}), table = leaf({9, 12});
  const std::vector<LoraFactor> factors{{.row_begin = 2, .row_end = 6, .down = leaf({3, 12}), .up = leaf({4, 3})}};
  expect_gradients(linear_lora(x, weight, bias, factors, {{1, 4}}), {x, weight, bias, factors[0].down, factors[0].up});
  const Tensor ids = at::empty({5}, meta.dtype(at::kLong));
  expect_gradients(embedding_rows(table, ids), {table});
  const Tensor buffer = at::empty({8, 12}, meta);
  const Tensor matrix = leaf({8, 12});
  matrix.mutable_grad() = buffer;
  const GradientsInPlace in_place;
  dense(x, matrix, {}).sum().backward();
  EXPECT_TRUE(matrix.grad().is_same(buffer));
}

TEST(Device, LogProbabilitiesOfChunksAreThoseOfTheKernels) {
  const at::TensorOptions doubles(at::kDouble);
  const Tensor logits = at::randn({7, 19}, doubles) * 4, targets = at::randint(19, {7}, at::kLong);
  const Tensor outer = at::randn({7}, doubles);
  const auto results = [&](bool plain) {
    const UseReferenceOperations use(plain);
    const Tensor lse = at::zeros({7}, doubles), logps = at::zeros({7}, doubles), gradient = logits.clone();
    log_probs_of(logits, targets, lse, logps);
    log_prob_gradient(gradient, targets, lse, outer);
    return std::vector<Tensor>{lse, logps, gradient};
  };
  const auto kernels = results(false), operations = results(true);
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    EXPECT_TRUE(at::allclose(kernels[i], operations[i], 1e-12, 1e-12)) << i;
  }
  const Tensor chunk = at::empty({7, 19}, meta), column = at::empty({7}, meta);
  log_probs_of(chunk, at::empty({7}, meta.dtype(at::kLong)), column, column);
  log_prob_gradient(chunk, at::empty({7}, meta.dtype(at::kLong)), column, column);
}

// A prompt of five tokens and two answers of three and four.
std::shared_ptr<AttentionPlan> plan_of_a_tree(bool dense) {
  auto plan = std::make_shared<AttentionPlan>();
  plan->positions = {0, 1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 8};
  plan->calls = {{0, 5, 0, 5, true, dense, {}},
                 {5, 8, 5, 8, true, dense, {}},
                 {8, 12, 8, 12, true, dense, {}},
                 {5, 12, 0, 5, false, dense, {}}};
  return plan;
}

struct AttentionCase {
  Tensor queries, keys, values;
  Tensor attend(bool dense) const { return tree_attention(queries, keys, values, plan_of_a_tree(dense), 0.4); }
};

TEST(Device, DenseScoresAttendAndDifferentiateAsTheFlashKernelDoes) {
  const at::TensorOptions doubles(at::kDouble);
  const Tensor outer = at::randn({12, 4, 8}, doubles);
  AttentionCase inputs{leaf({12, 4, 8}, doubles), leaf({12, 2, 8}, doubles), leaf({12, 2, 8}, doubles)};
  std::vector<std::vector<Tensor>> results;
  for (const bool dense : {false, true}) {
    const Tensor out = inputs.attend(dense);
    (out * outer).sum().backward();
    results.push_back({out});
    for (Tensor* one : {&inputs.queries, &inputs.keys, &inputs.values}) {
      results.back().push_back(one->grad());
      one->mutable_grad() = Tensor();
    }
  }
  for (std::size_t i = 0; i < results[0].size(); ++i) {
    EXPECT_TRUE(at::allclose(results[0][i], results[1][i], 1e-10, 1e-12)) << i;
  }
}

TEST(Device, AttentionOverATreeNeedsNoKernel) {
  const auto plan = plan_of_a_tree(false);
  for (AttentionCall& call : plan->calls) call.hidden = moved(hidden_keys(call, *plan), at::kMeta);
  const Tensor queries = leaf({12, 4, 8}), keys = leaf({12, 2, 8}), values = leaf({12, 2, 8});
  expect_gradients(tree_attention(queries, keys, values, plan, 0.4), {queries, keys, values});
}

// Two matrices and a bias between them, with gaps, as Parameters lays them out.
Parameters three_leaves(const at::TensorOptions& options) {
  Parameters parameters({{{3, 5}, {{"first", 3, false}}, {.deviation = 1}},
                         {{4}, {{"bias", 4, false}}, {.constant = 1}},
                         {{7, 9}, {{"second", 7, false}}, {.deviation = 1}}},
                        options);
  parameters.initialize(5);
  return parameters;
}

TEST(Device, EveryFormOfAdamWMakesTheSameSteps) {
  const AdamWOptions options{.weight_decay = 0.1};
  const double scale = 0.7, rate = 0.01;
  const auto trained = [&](int form) {
    Parameters parameters = three_leaves(at::kDouble);
    const UseReferenceOperations use(form == 1);
    AdamW optimizer(parameters.flat(), options, parameters.matrix_ranges());
    const Tensor flat = parameters.flat(), first = at::zeros_like(flat), second = at::zeros_like(flat);
    for (std::int64_t step = 1; step <= 4; ++step) {
      Tensor gradient = at::arange(flat.numel(), flat.options()).sin_().mul_(static_cast<double>(step));
      if (form < 2) {
        optimizer.begin(rate);
        optimizer.update(0, gradient, scale);
        continue;
      }
      std::vector<AdamWPiece> pieces;
      std::int64_t at = 0;
      const auto add = [&](std::int64_t end, double decay) {
        const auto part = [&](const Tensor& x) { return x.narrow(0, at, end - at); };
        if (end > at) pieces.push_back({part(flat), part(gradient), part(first), part(second), decay});
        at = end;
      };
      for (const auto& [begin, end] : parameters.matrix_ranges()) {
        add(begin, 0);
        add(end, options.weight_decay);
      }
      add(flat.numel(), 0);
      update_fused(pieces, {.learning_rate = rate, .step = step, .scale = scale});
    }
    return flat;
  };
  const Tensor kernel = trained(0);
  EXPECT_FALSE(at::equal(kernel, three_leaves(at::kDouble).flat()));
  EXPECT_TRUE(at::allclose(trained(1), kernel, 1e-13, 1e-14));
  // The scale of the gradient is a float32 number there.
  EXPECT_TRUE(at::allclose(trained(2), kernel, 1e-6, 1e-7));
}

TEST(Device, ParametersAndTheirOptimizerNeedNoMemoryOfTheCpu) {
  Parameters parameters = three_leaves(meta);
  parameters.require_gradients(true);
  EXPECT_TRUE(parameters.gradient().is_meta());
  EXPECT_TRUE(parameters.clone().flat().is_meta());
  AdamW optimizer(parameters.flat(), {.weight_decay = 0.1}, parameters.matrix_ranges());
  dense(at::empty({2, 9}, meta), parameters.leaf_of("second"), {}).sum().backward();
  optimizer.begin(0.1);
  optimizer.update(0, parameters.gradient(), 0.5);
  for (const NamedTensor& tensor : optimizer.state()) EXPECT_TRUE(tensor.values.is_meta()) << tensor.name;
  EXPECT_THROW(AdamW(parameters.flat(), {.moments = MomentPrecision::int8}, parameters.matrix_ranges()), InternalError);
}

// bfloat16 keeps eight bits: a product of rounded operands is within 2^-8 of the whole of its terms.
TEST(Device, ProductsInBfloat16AreCloseAndLeaveFloat32Behind) {
  const Tensor a = at::randn({16, 32}), b = at::randn({32, 24}), bias = at::randn({24});
  const Tensor terms = at::mm(a.abs(), b.abs());
  const auto close = [&](const Tensor& rounded, const Tensor& exact) {
    EXPECT_EQ(rounded.scalar_type(), at::kFloat);
    EXPECT_FALSE(at::equal(rounded, exact));
    EXPECT_LT(((rounded - exact).abs() / terms).max().item<double>(), std::exp2(-7));
  };
  Tensor sum = bias.expand({16, 24}).clone();
  {
    const UseBfloat16Products use(true);
    close(product(a, b), at::mm(a, b));
    close(stacked_product(a, b), at::mm(a, b));
    close(linear_product(a, b.t(), bias), at::mm(a, b) + bias);
    add_product(sum, a, b, 0.5);
    close(2 * sum, at::mm(a, b) + 2 * bias);
    EXPECT_TRUE(at::equal(product(a.to(at::kDouble), b.to(at::kDouble)), at::mm(a.to(at::kDouble), b.to(at::kDouble))));
  }
  EXPECT_TRUE(at::equal(product(a, b), at::mm(a, b)));
  const UseBfloat16Products use(true);
  const Tensor x = leaf({5, 12}), weight = leaf({8, 12});
  expect_gradients(dense(x, weight, {}), {x, weight});
}

}  // namespace
}  // namespace attune
