// Multiply-adds in registers, on as many threads as asked: the arithmetic that this machine can do at all.
#include <chrono>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
constexpr int chains = 12;  // more than latency times width on every machine so far
typedef float Vector __attribute__((vector_size(4 * lanes)));

float spin(long rounds) {
  volatile float start = 0.5F;  // unknown to the compiler, which would merge chains that it knows to be equal
  Vector sums[chains], factor, addend;
  for (Vector& sum : sums) sum = Vector{} + start;
  for (int i = 0; i < lanes; ++i) factor[i] = 0.999F, addend[i] = 1e-3F;
  for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int c = 0; c < chains; ++c) sums[c] = sums[c] * factor + addend;
  }
  float total = 0;
  for (const Vector& sum : sums) total += sum[0];
  return total;
}

}  // namespace

// FLOP/s over some hundredths of a second.
extern "C" double registers(int threads) {
  constexpr long rounds = 10'000'000;
  std::vector<float> sink(static_cast<std::size_t>(threads));
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> team;
  for (int t = 0; t < threads; ++t) team.emplace_back([&, t] { sink[static_cast<std::size_t>(t)] = spin(rounds); });
  for (std::thread& one : team) one.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  volatile float keep = sink[0];
  (void)keep;
  return 2.0 * lanes * chains * static_cast<double>(rounds) * threads / took.count();
}
