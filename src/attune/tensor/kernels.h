// Loops over memory between the matrix products, one pass each, for float32 and float64. Compiled for each instruction
// set (portable, AVX2, AVX-512) and chosen at run time. Callers split work into ranges; nothing here starts threads.
// Pointers are to contiguous rows unless a stride is named.
#pragma once

#include <cstdint>
#include <vector>

namespace attune::kernels {

struct Range {
  std::int64_t begin = 0, end = 0;
};

// sum = residual + delta (nullptr: 0; then sum may be nullptr too, for residual itself);
// rstd = 1 / sqrt(mean(sum^2) + epsilon); normed = sum * rstd * weight. [rows, width], rstd [rows].
template <typename T>
struct RmsNorm {
  const T *residual, *delta, *weight;
  T *sum, *normed, *rstd;
  std::int64_t width;
  double epsilon;
};
void rms_norm(const RmsNorm<float>& a, Range rows);
void rms_norm(const RmsNorm<double>& a, Range rows);

// d_sum = passed + rstd (g w - xhat mean(g w xhat)); d_weight [width] += sum over the rows of g xhat. `passed` is the
// gradient that reaches sum on its other way (nullptr: 0).
template <typename T>
struct RmsNormGradient {
  const T *gradient, *passed, *sum, *weight, *rstd;
  T *d_sum, *d_weight;
  std::int64_t width;
};
void rms_norm_gradient(const RmsNormGradient<float>& a, Range rows);
void rms_norm_gradient(const RmsNormGradient<double>& a, Range rows);

// Turns `heads` heads of width 2 * half by the angles of their row: (a, b) -> (a c - sign b s, b c + sign a s).
// cosines and sines [rows, half]; rows of `from` and `to` are their strides apart, heads are adjacent.
template <typename T>
struct Rotary {
  const T *from, *cosines, *sines;
  T* to;
  std::int64_t heads, half, from_stride, to_stride;
  double sign;
};
void rotate(const Rotary<float>& a, Range rows);
void rotate(const Rotary<double>& a, Range rows);

// product [rows, width] = silu(gate) * up of gate_up [rows, 2 width].
template <typename T>
struct Swiglu {
  const T* gate_up;
  T* product;
  std::int64_t width;
};
void swiglu(const Swiglu<float>& a, Range rows);
void swiglu(const Swiglu<double>& a, Range rows);

// d_gate_up [rows, 2 width] from the gradient of product; may be gate_up's own memory.
template <typename T>
struct SwigluGradient {
  const T *gate_up, *gradient;
  T* d_gate_up;
  std::int64_t width;
};
void swiglu_gradient(const SwigluGradient<float>& a, Range rows);
void swiglu_gradient(const SwigluGradient<double>& a, Range rows);

// lse = log sum exp(logits), logp = logits[target] - lse. logits [rows, width]; the rest [rows].
template <typename T>
struct LogSumExp {
  const T* logits;
  const std::int64_t* targets;
  T *lse, *logp;
  std::int64_t width;
};
void log_sum_exp(const LogSumExp<float>& a, Range rows);
void log_sum_exp(const LogSumExp<double>& a, Range rows);

// In place: logits become the gradient of the log-probability of the target, times the row's gradient:
// g (1[target] - exp(logits - lse)).
template <typename T>
struct LogProbGradient {
  T* logits;
  const std::int64_t* targets;
  const T *lse, *gradient;
  std::int64_t width;
};
void log_prob_gradient(const LogProbGradient<float>& a, Range rows);
void log_prob_gradient(const LogProbGradient<double>& a, Range rows);

// One query over keys and values that lie in stretches: out = sum softmax(scale query . key) value, all of them
// [width] wide. `scores` is working memory for as many numbers as there are rows.
template <typename T>
struct Stretch {
  const T *keys, *values;
  std::int64_t rows;
};
template <typename T>
struct DecodeAttention {
  const T* query;
  Stretch<T> seen[2];
  T *scores, *out;
  std::int64_t width;
  double scale;
};
void attend(const DecodeAttention<float>& a);
void attend(const DecodeAttention<double>& a);

// AdamW with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2) on flat memory.
template <typename T>
struct AdamwUpdate {
  T* parameter;
  const T* gradient;
  T *first, *second;
  double beta1, beta2, epsilon;
  double shrink;        // 1 - lr * weight decay
  double rate;          // lr / (1 - beta1^t)
  double inverse_root;  // 1 / sqrt(1 - beta2^t)
  double scale;         // of the gradient
};
void adamw(const AdamwUpdate<float>& a, Range elements);
void adamw(const AdamwUpdate<double>& a, Range elements);

// Sum of squares, in double.
double squares(const float* values, Range elements);
double squares(const double* values, Range elements);

// The sets that were compiled and that this machine can run, best first.
struct InstructionSet {
  std::int64_t id = 0;
  const char* name = "";
};
std::vector<InstructionSet> instruction_sets();

// For tests: everything runs on this one until destroyed. Not for concurrent use.
class UseInstructionSet {
 public:
  explicit UseInstructionSet(const InstructionSet& set);
  ~UseInstructionSet();
  UseInstructionSet(const UseInstructionSet&) = delete;
  UseInstructionSet& operator=(const UseInstructionSet&) = delete;
};

}  // namespace attune::kernels
