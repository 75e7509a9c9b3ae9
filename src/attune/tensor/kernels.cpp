#include "attune/tensor/kernels.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attune/tensor/kernels.cpp"
#include <hwy/foreach_target.h>  // compiles this file once for each instruction set
// after it:
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace attune::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Calls body(tag, i) for i over [0, count): whole vectors first, then single elements.
template <typename T, class Body>
HWY_INLINE void for_lanes(std::int64_t count, const Body& body) {
  const hn::ScalableTag<T> wide;
  const hn::CappedTag<T, 1> single;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(wide));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) body(wide, i);
  for (; i < count; ++i) body(single, i);
}

// Sum over [0, count) of what term(tag, i) gives; four independent chains of additions.
template <typename T, class Term>
HWY_INLINE T sum_lanes(std::int64_t count, const Term& term) {
  const hn::ScalableTag<T> wide;
  const hn::CappedTag<T, 1> single;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(wide));
  auto s0 = hn::Zero(wide), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    s0 = hn::Add(s0, term(wide, i));
    s1 = hn::Add(s1, term(wide, i + lanes));
    s2 = hn::Add(s2, term(wide, i + 2 * lanes));
    s3 = hn::Add(s3, term(wide, i + 3 * lanes));
  }
  for (; i + lanes <= count; i += lanes) s0 = hn::Add(s0, term(wide, i));
  T total = hn::GetLane(hn::SumOfLanes(wide, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  for (; i < count; ++i) total += hn::GetLane(term(single, i));
  return total;
}

template <class D, class V>
HWY_INLINE V sigmoid(D d, V x) {
  const auto one = hn::Set(d, hn::TFromD<D>(1));
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(x))));
}

template <typename T>
void rms_norm_rows(const RmsNorm<T>& a, Range rows) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const T* x = a.residual + row * a.width;
    if (a.delta != nullptr) {
      const T* delta = a.delta + row * a.width;
      T* sum = a.sum + row * a.width;
      for_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
        hn::StoreU(hn::Add(hn::LoadU(d, x + i), hn::LoadU(d, delta + i)), d, sum + i);
      });
      x = sum;
    }
    const T square = sum_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto v = hn::LoadU(d, x + i);
      return hn::Mul(v, v);
    });
    const T r = T(1 / std::sqrt(static_cast<double>(square) / static_cast<double>(a.width) + a.epsilon));
    a.rstd[row] = r;
    T* normed = a.normed + row * a.width;
    for_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, x + i), hn::Set(d, r)), hn::LoadU(d, a.weight + i)), d, normed + i);
    });
  }
}

template <typename T>
void rms_norm_gradient_rows(const RmsNormGradient<T>& a, Range rows) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const T *g = a.gradient + row * a.width, *x = a.sum + row * a.width, r = a.rstd[row];
    const T* passed = a.passed == nullptr ? nullptr : a.passed + row * a.width;
    T* dx = a.d_sum + row * a.width;
    const T inner = sum_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
      return hn::Mul(hn::Mul(hn::LoadU(d, g + i), hn::LoadU(d, a.weight + i)), hn::LoadU(d, x + i));
    });
    const T along = inner / T(a.width) * r * r;
    for_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto rstd = hn::Set(d, r), gradient = hn::LoadU(d, g + i), value = hn::LoadU(d, x + i);
      auto out = hn::Mul(rstd, hn::NegMulAdd(value, hn::Set(d, along), hn::Mul(gradient, hn::LoadU(d, a.weight + i))));
      if (passed != nullptr) out = hn::Add(out, hn::LoadU(d, passed + i));
      hn::StoreU(out, d, dx + i);
      const auto weight = hn::MulAdd(hn::Mul(gradient, value), rstd, hn::LoadU(d, a.d_weight + i));
      hn::StoreU(weight, d, a.d_weight + i);
    });
  }
}

template <typename T>
void rotate_rows(const Rotary<T>& a, Range rows) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const T *cos = a.cosines + row * a.half, *sin = a.sines + row * a.half;
    for (std::int64_t head = 0; head < a.heads; ++head) {
      const T* in = a.from + row * a.from_stride + head * 2 * a.half;
      T* out = a.to + row * a.to_stride + head * 2 * a.half;
      for_lanes<T>(a.half, [&](auto d, std::int64_t i) HWY_ATTR {
        const auto first = hn::LoadU(d, in + i), second = hn::LoadU(d, in + a.half + i);
        const auto c = hn::LoadU(d, cos + i), s = hn::Mul(hn::LoadU(d, sin + i), hn::Set(d, T(a.sign)));
        hn::StoreU(hn::NegMulAdd(second, s, hn::Mul(first, c)), d, out + i);
        hn::StoreU(hn::MulAdd(first, s, hn::Mul(second, c)), d, out + a.half + i);
      });
    }
  }
}

template <typename T>
void swiglu_rows(const Swiglu<T>& a, Range rows) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const T *gate = a.gate_up + row * 2 * a.width, *up = gate + a.width;
    T* out = a.product + row * a.width;
    for_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto g = hn::LoadU(d, gate + i);
      hn::StoreU(hn::Mul(hn::Mul(g, sigmoid(d, g)), hn::LoadU(d, up + i)), d, out + i);
    });
  }
}

template <typename T>
void swiglu_gradient_rows(const SwigluGradient<T>& a, Range rows) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const T *gate = a.gate_up + row * 2 * a.width, *up = gate + a.width, *gradient = a.gradient + row * a.width;
    T *d_gate = a.d_gate_up + row * 2 * a.width, *d_up = d_gate + a.width;
    for_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto g = hn::LoadU(d, gate + i), u = hn::LoadU(d, up + i), outer = hn::LoadU(d, gradient + i);
      const auto s = sigmoid(d, g), one = hn::Set(d, T(1)), silu = hn::Mul(g, s);
      hn::StoreU(hn::Mul(outer, silu), d, d_up + i);
      // silu'(g) = s (1 + g (1 - s))
      const auto slope = hn::Mul(s, hn::MulAdd(g, hn::Sub(one, s), one));
      hn::StoreU(hn::Mul(hn::Mul(outer, u), slope), d, d_gate + i);
    });
  }
}

template <typename T>
T largest_of(const T* values, std::int64_t count) {
  const hn::ScalableTag<T> wide;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(wide));
  T largest = values[0];
  std::int64_t i = 0;
  if (count >= lanes) {
    auto most = hn::LoadU(wide, values);
    for (i = lanes; i + lanes <= count; i += lanes) most = hn::Max(most, hn::LoadU(wide, values + i));
    largest = hn::GetLane(hn::MaxOfLanes(wide, most));
  }
  for (; i < count; ++i) largest = values[i] > largest ? values[i] : largest;
  return largest;
}

template <typename T>
void attend_query(const DecodeAttention<T>& a) {
  std::int64_t rows = 0;
  for (const Stretch<T>& stretch : a.seen) {
    for (std::int64_t row = 0; row < stretch.rows; ++row) {
      const T* key = stretch.keys + row * a.width;
      a.scores[rows++] = T(a.scale) * sum_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
                           return hn::Mul(hn::LoadU(d, a.query + i), hn::LoadU(d, key + i));
                         });
    }
  }
  const T most = largest_of(a.scores, rows);
  const T total = sum_lanes<T>(rows, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto weight = hn::Exp(d, hn::Sub(hn::LoadU(d, a.scores + i), hn::Set(d, most)));
    hn::StoreU(weight, d, a.scores + i);
    return weight;
  });
  const T share = T(1) / total;
  for_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
    auto sum = hn::Zero(d);
    const T* weight = a.scores;
    for (const Stretch<T>& stretch : a.seen) {
      const T* value = stretch.values + i;
      for (std::int64_t row = 0; row < stretch.rows; ++row, value += a.width) {
        sum = hn::MulAdd(hn::Set(d, *weight++), hn::LoadU(d, value), sum);
      }
    }
    hn::StoreU(hn::Mul(sum, hn::Set(d, share)), d, a.out + i);
  });
}

template <typename T>
void log_sum_exp_rows(const LogSumExp<T>& a, Range rows) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const T* logits = a.logits + row * a.width;
    const T most = largest_of(logits, a.width);
    const T sum = sum_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
      return hn::Exp(d, hn::Sub(hn::LoadU(d, logits + i), hn::Set(d, most)));
    });
    const T lse = most + std::log(sum);
    a.lse[row] = lse;
    a.logp[row] = logits[a.targets[row]] - lse;
  }
}

template <typename T>
void log_prob_gradient_rows(const LogProbGradient<T>& a, Range rows) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    T* logits = a.logits + row * a.width;
    const T lse = a.lse[row], g = a.gradient[row];
    for_lanes<T>(a.width, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto p = hn::Exp(d, hn::Sub(hn::LoadU(d, logits + i), hn::Set(d, lse)));
      hn::StoreU(hn::Mul(p, hn::Set(d, -g)), d, logits + i);
    });
    logits[a.targets[row]] += g;
  }
}

template <typename T>
void adamw_elements(const AdamwUpdate<T>& a, Range elements) {
  const T rest1 = T(1 - a.beta1), rest2 = T(1 - a.beta2);
  T *parameter = a.parameter + elements.begin, *first = a.first + elements.begin, *second = a.second + elements.begin;
  const T* gradient = a.gradient + elements.begin;
  for_lanes<T>(elements.end - elements.begin, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto g = hn::Mul(hn::LoadU(d, gradient + i), hn::Set(d, T(a.scale)));
    const auto m = hn::MulAdd(hn::LoadU(d, first + i), hn::Set(d, T(a.beta1)), hn::Mul(g, hn::Set(d, rest1)));
    const auto v =
        hn::MulAdd(hn::LoadU(d, second + i), hn::Set(d, T(a.beta2)), hn::Mul(hn::Mul(g, g), hn::Set(d, rest2)));
    const auto below = hn::MulAdd(hn::Sqrt(v), hn::Set(d, T(a.inverse_root)), hn::Set(d, T(a.epsilon)));
    const auto kept = hn::Mul(hn::LoadU(d, parameter + i), hn::Set(d, T(a.shrink)));
    hn::StoreU(m, d, first + i);
    hn::StoreU(v, d, second + i);
    hn::StoreU(hn::NegMulAdd(hn::Set(d, T(a.rate)), hn::Div(m, below), kept), d, parameter + i);
  });
}

// Blocks of single-precision sums are added up in double.
template <typename T>
double squares_of(const T* values, Range elements) {
  constexpr std::int64_t block = 4096;
  double total = 0;
  for (std::int64_t at = elements.begin; at < elements.end; at += block) {
    const T* x = values + at;
    total += static_cast<double>(
        sum_lanes<T>(at + block < elements.end ? block : elements.end - at, [&](auto d, std::int64_t i) HWY_ATTR {
          const auto v = hn::LoadU(d, x + i);
          return hn::Mul(v, v);
        }));
  }
  return total;
}

// A name that HWY_EXPORT can take for each type.
#define ATTUNE_BOTH_TYPES(name, loop, Arguments)                                \
  void name##_float(const Arguments<float>& a, Range range) { loop(a, range); } \
  void name##_double(const Arguments<double>& a, Range range) { loop(a, range); }
ATTUNE_BOTH_TYPES(rms_norm, rms_norm_rows, RmsNorm)
ATTUNE_BOTH_TYPES(rms_norm_gradient, rms_norm_gradient_rows, RmsNormGradient)
ATTUNE_BOTH_TYPES(rotate, rotate_rows, Rotary)
ATTUNE_BOTH_TYPES(swiglu, swiglu_rows, Swiglu)
ATTUNE_BOTH_TYPES(swiglu_gradient, swiglu_gradient_rows, SwigluGradient)
ATTUNE_BOTH_TYPES(log_sum_exp, log_sum_exp_rows, LogSumExp)
ATTUNE_BOTH_TYPES(log_prob_gradient, log_prob_gradient_rows, LogProbGradient)
ATTUNE_BOTH_TYPES(adamw, adamw_elements, AdamwUpdate)
#undef ATTUNE_BOTH_TYPES
void attend_float(const DecodeAttention<float>& a) { attend_query(a); }
void attend_double(const DecodeAttention<double>& a) { attend_query(a); }
double squares_float(const float* values, Range elements) { return squares_of(values, elements); }
double squares_double(const double* values, Range elements) { return squares_of(values, elements); }

}  // namespace
}  // namespace attune::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attune::kernels {

#define ATTUNE_DISPATCH(name, Arguments)                                                              \
  HWY_EXPORT(name##_float);                                                                           \
  HWY_EXPORT(name##_double);                                                                          \
  void name(const Arguments<float>& a, Range range) { HWY_DYNAMIC_DISPATCH(name##_float)(a, range); } \
  void name(const Arguments<double>& a, Range range) { HWY_DYNAMIC_DISPATCH(name##_double)(a, range); }
ATTUNE_DISPATCH(rms_norm, RmsNorm)
ATTUNE_DISPATCH(rms_norm_gradient, RmsNormGradient)
ATTUNE_DISPATCH(rotate, Rotary)
ATTUNE_DISPATCH(swiglu, Swiglu)
ATTUNE_DISPATCH(swiglu_gradient, SwigluGradient)
ATTUNE_DISPATCH(log_sum_exp, LogSumExp)
ATTUNE_DISPATCH(log_prob_gradient, LogProbGradient)
ATTUNE_DISPATCH(adamw, AdamwUpdate)
#undef ATTUNE_DISPATCH

HWY_EXPORT(attend_float);
HWY_EXPORT(attend_double);
void attend(const DecodeAttention<float>& a) { HWY_DYNAMIC_DISPATCH(attend_float)(a); }
void attend(const DecodeAttention<double>& a) { HWY_DYNAMIC_DISPATCH(attend_double)(a); }

HWY_EXPORT(squares_float);
HWY_EXPORT(squares_double);
double squares(const float* values, Range elements) { return HWY_DYNAMIC_DISPATCH(squares_float)(values, elements); }
double squares(const double* values, Range elements) { return HWY_DYNAMIC_DISPATCH(squares_double)(values, elements); }

std::vector<InstructionSet> instruction_sets() {
  std::vector<InstructionSet> sets;
  for (const std::int64_t id : hwy::SupportedAndGeneratedTargets()) sets.push_back({id, hwy::TargetName(id)});
  return sets;
}

UseInstructionSet::UseInstructionSet(const InstructionSet& set) {
  hwy::SetSupportedTargetsForTest(set.id);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}
UseInstructionSet::~UseInstructionSet() {
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace attune::kernels
#endif
