// Every kernel on every instruction set of this machine against plain loops in double, for widths below, at and beside
// whole vectors.
#include "attune/tensor/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace attune::kernels {
namespace {

constexpr std::int64_t rows = 5;

template <typename T>
std::vector<T> random_values(std::int64_t count, double size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, size);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& value : values) value = T(normal(random));
  return values;
}

template <typename T>
constexpr double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-13;

template <typename T>
void expect_near(const std::vector<T>& actual, const std::vector<double>& expected, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(double(actual[i]), expected[i], tolerance<T> * std::max(1.0, std::abs(expected[i])))
        << what << ", element " << i;
  }
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <typename T>
void check_rms_norm(std::int64_t width) {
  const auto n = static_cast<std::size_t>(rows * width);
  const auto x = random_values<T>(rows * width, 1, 1), delta = random_values<T>(rows * width, 1, 2);
  const auto weight = random_values<T>(width, 1, 3), g = random_values<T>(rows * width, 1, 4);
  const auto passed = random_values<T>(rows * width, 1, 5);
  std::vector<T> sum(n), normed(n), rstd(rows), d_sum(n), d_weight(static_cast<std::size_t>(width), T(0.5));
  rms_norm(RmsNorm<T>{x.data(), delta.data(), weight.data(), sum.data(), normed.data(), rstd.data(), width, 1e-5},
           {0, rows});
  rms_norm_gradient(RmsNormGradient<T>{g.data(), passed.data(), sum.data(), weight.data(), rstd.data(), d_sum.data(),
                                       d_weight.data(), width},
                    {0, rows});
  std::vector<double> want_normed, want_d_sum, want_weight(static_cast<std::size_t>(width), 0.5);
  for (std::int64_t row = 0; row < rows; ++row) {
    double square = 0, inner = 0;
    const auto at = [&](std::int64_t i) { return static_cast<std::size_t>(row * width + i); };
    const auto s = [&](std::int64_t i) { return double(x[at(i)]) + double(delta[at(i)]); };
    const auto w = [&](std::int64_t i) { return double(weight[static_cast<std::size_t>(i)]); };
    for (std::int64_t i = 0; i < width; ++i) square += s(i) * s(i);
    const double r = 1 / std::sqrt(square / double(width) + 1e-5);
    for (std::int64_t i = 0; i < width; ++i) inner += double(g[at(i)]) * w(i) * s(i) * r / double(width);
    for (std::int64_t i = 0; i < width; ++i) {
      want_normed.push_back(s(i) * r * w(i));
      want_d_sum.push_back(double(passed[at(i)]) + r * (double(g[at(i)]) * w(i) - s(i) * r * inner));
      want_weight[static_cast<std::size_t>(i)] += double(g[at(i)]) * s(i) * r;
    }
  }
  expect_near(normed, want_normed, "normed");
  expect_near(d_sum, want_d_sum, "d_sum");
  expect_near(d_weight, want_weight, "d_weight");
}

template <typename T>
void check_rotary(std::int64_t half) {
  const std::int64_t heads = 3, from_stride = heads * 2 * half + 4, to_stride = heads * 2 * half;
  const auto from = random_values<T>(rows * from_stride, 1, 6);
  std::vector<T> cosines, sines, to(static_cast<std::size_t>(rows * to_stride));
  for (std::int64_t i = 0; i < rows * half; ++i) {
    cosines.push_back(T(std::cos(double(i))));
    sines.push_back(T(std::sin(double(i))));
  }
  for (const double sign : {1.0, -1.0}) {
    rotate(Rotary<T>{from.data(), cosines.data(), sines.data(), to.data(), heads, half, from_stride, to_stride, sign},
           {0, rows});
    std::vector<double> want(to.size());
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t head = 0; head < heads; ++head) {
        for (std::int64_t i = 0; i < half; ++i) {
          const auto in = static_cast<std::size_t>(row * from_stride + head * 2 * half + i);
          const auto out = static_cast<std::size_t>(row * to_stride + head * 2 * half + i);
          const double a = double(from[in]), b = double(from[in + static_cast<std::size_t>(half)]);
          const double c = std::cos(double(row * half + i)), s = sign * std::sin(double(row * half + i));
          want[out] = a * c - b * s;
          want[out + static_cast<std::size_t>(half)] = b * c + a * s;
        }
      }
    }
    expect_near(to, want, "turned");
  }
}

template <typename T>
void check_swiglu(std::int64_t width) {
  const auto gate_up = random_values<T>(rows * 2 * width, 3, 7), g = random_values<T>(rows * width, 1, 8);
  std::vector<T> product(g.size()), gradient(gate_up.size());
  swiglu(Swiglu<T>{gate_up.data(), product.data(), width}, {0, rows});
  swiglu_gradient(SwigluGradient<T>{gate_up.data(), g.data(), gradient.data(), width}, {0, rows});
  std::vector<double> want(g.size()), want_gradient(gate_up.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < width; ++i) {
      const auto gate = static_cast<std::size_t>(row * 2 * width + i), up = gate + static_cast<std::size_t>(width);
      const auto out = static_cast<std::size_t>(row * width + i);
      const double x = double(gate_up[gate]), s = sigmoid(x), outer = double(g[out]);
      want[out] = x * s * double(gate_up[up]);
      want_gradient[gate] = outer * double(gate_up[up]) * s * (1 + x * (1 - s));
      want_gradient[up] = outer * x * s;
    }
  }
  expect_near(product, want, "product");
  expect_near(gradient, want_gradient, "gradient");
}

template <typename T>
void check_log_probs(std::int64_t width, double size) {
  auto logits = random_values<T>(rows * width, size, 9);
  const auto g = random_values<T>(rows, 1, 10);
  std::vector<std::int64_t> targets;
  for (std::int64_t row = 0; row < rows; ++row) targets.push_back((row * 7) % width);
  std::vector<T> lse(rows), logp(rows);
  log_sum_exp(LogSumExp<T>{logits.data(), targets.data(), lse.data(), logp.data(), width}, {0, rows});
  std::vector<double> want_lse, want_logp, want_gradient;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = [&](std::int64_t i) { return double(logits[static_cast<std::size_t>(row * width + i)]); };
    double most = at(0), sum = 0;
    for (std::int64_t i = 1; i < width; ++i) most = std::max(most, at(i));
    for (std::int64_t i = 0; i < width; ++i) sum += std::exp(at(i) - most);
    const std::int64_t target = targets[static_cast<std::size_t>(row)];
    want_lse.push_back(most + std::log(sum));
    want_logp.push_back(at(target) - want_lse.back());
    for (std::int64_t i = 0; i < width; ++i) {
      want_gradient.push_back(double(g[static_cast<std::size_t>(row)]) *
                              ((i == target ? 1 : 0) - std::exp(at(i) - want_lse.back())));
    }
  }
  expect_near(lse, want_lse, "lse");
  expect_near(logp, want_logp, "logp");
  log_prob_gradient(LogProbGradient<T>{logits.data(), targets.data(), lse.data(), g.data(), width}, {0, rows});
  // exp(logit - lse) loses what the logits' own rounding takes: a few ulp of the largest logit.
  for (std::size_t i = 0; i < want_gradient.size(); ++i) {
    ASSERT_NEAR(double(logits[i]), want_gradient[i], tolerance<T> * std::max(1.0, size)) << "gradient " << i;
  }
}

// One query over `prompt` rows and `tail` rows behind them.
template <typename T>
void check_attend(std::int64_t width, std::int64_t prompt, std::int64_t tail) {
  const auto count = prompt + tail;
  const auto query = random_values<T>(width, 1, 15);
  const auto keys = random_values<T>(count * width, 1, 16), values = random_values<T>(count * width, 1, 17);
  const double scale = 0.7 / std::sqrt(double(width));
  std::vector<T> scores(static_cast<std::size_t>(count)), out(static_cast<std::size_t>(width));
  attend(DecodeAttention<T>{
      query.data(),
      {{keys.data(), values.data(), prompt}, {keys.data() + prompt * width, values.data() + prompt * width, tail}},
      scores.data(),
      out.data(),
      width,
      scale});
  std::vector<double> want(static_cast<std::size_t>(width));
  std::vector<double> weight;
  double total = 0;
  for (std::int64_t row = 0; row < count; ++row) {
    double score = 0;
    for (std::int64_t i = 0; i < width; ++i) {
      score += double(query[static_cast<std::size_t>(i)]) * double(keys[static_cast<std::size_t>(row * width + i)]);
    }
    weight.push_back(std::exp(scale * score));
    total += weight.back();
  }
  for (std::int64_t row = 0; row < count; ++row) {
    const double share = weight[static_cast<std::size_t>(row)] / total;
    for (std::int64_t i = 0; i < width; ++i) {
      want[static_cast<std::size_t>(i)] += share * double(values[static_cast<std::size_t>(row * width + i)]);
    }
  }
  expect_near(out, want, "attention of one query");
}

template <typename T>
void check_adamw(std::int64_t count) {
  auto p = random_values<T>(count, 1, 11), m = random_values<T>(count, 0.1, 12), v = random_values<T>(count, 0.1, 13);
  const auto g = random_values<T>(count, 1, 14);
  for (T& value : v) value = std::abs(value);
  std::vector<double> want_p, want_m, want_v;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double gradient = double(g[i]) * 0.5;
    want_m.push_back(double(m[i]) * 0.9 + gradient * 0.1);
    want_v.push_back(double(v[i]) * 0.99 + gradient * gradient * 0.01);
    want_p.push_back(double(p[i]) * 0.999 - 0.01 * want_m.back() / (std::sqrt(want_v.back()) * 2 + 1e-8));
  }
  adamw(AdamwUpdate<T>{p.data(), g.data(), m.data(), v.data(), 0.9, 0.99, 1e-8, 0.999, 0.01, 2, 0.5}, {0, count});
  expect_near(m, want_m, "first moment");
  expect_near(v, want_v, "second moment");
  expect_near(p, want_p, "parameter");
  double want = 0;
  for (const T value : g) want += double(value) * double(value);
  EXPECT_NEAR(squares(g.data(), {0, count}), want, 1e-5 * want + 1e-12);
}

class EverySet : public testing::TestWithParam<InstructionSet> {
 protected:
  UseInstructionSet use_{GetParam()};
};

constexpr std::int64_t widths[] = {1, 3, 8, 16, 17, 33, 64, 129, 576};

TEST_P(EverySet, RmsNormAndItsGradient) {
  for (const auto width : widths) check_rms_norm<float>(width), check_rms_norm<double>(width);
}
TEST_P(EverySet, RotaryTurns) {
  for (const auto half : {1, 4, 16, 24, 32, 33}) check_rotary<float>(half), check_rotary<double>(half);
}
TEST_P(EverySet, SwigluAndItsGradient) {
  for (const auto width : widths) check_swiglu<float>(width), check_swiglu<double>(width);
}
TEST_P(EverySet, LogProbabilitiesAndTheirGradient) {
  for (const auto width : widths) {
    for (const double size : {1e-3, 1.0, 50.0})
      check_log_probs<float>(width, size), check_log_probs<double>(width, size);
  }
}
TEST_P(EverySet, OneQueryOverAPromptAndWhatFollowsIt) {
  for (const auto width : widths) {
    for (const auto& [prompt, tail] : {std::pair{1, 0}, {7, 0}, {16, 1}, {40, 19}}) {
      check_attend<float>(width, prompt, tail), check_attend<double>(width, prompt, tail);
    }
  }
}
TEST_P(EverySet, AdamwAndTheSumOfSquares) {
  for (const auto count : {1, 15, 64, 5000, 20000}) check_adamw<float>(count), check_adamw<double>(count);
}

INSTANTIATE_TEST_SUITE_P(Kernels, EverySet, testing::ValuesIn(instruction_sets()),
                         [](const auto& set) { return std::string(set.param.name); });

TEST(Kernels, AreCompiledForMoreThanOneInstructionSet) { EXPECT_GE(instruction_sets().size(), 2u); }

}  // namespace
}  // namespace attune::kernels
