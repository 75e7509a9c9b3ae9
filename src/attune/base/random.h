// Named random streams: every draw is a pure function of (seed, stream name, indices, position), so that what one part
// draws never shifts another's draws, and a checkpoint stores positions instead of generator states.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace attune {

// A counter-based generator (Philox4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
class Random {
 public:
  // The stream `name` of a run's seed; indices tell its members apart: Random(seed, "rollout", {step, sample}).
  Random(std::uint64_t seed, std::string_view stream, std::initializer_list<std::int64_t> indices = {});

  std::uint64_t next();                      // 64 uniform bits
  double uniform();                          // [0, 1), 53 bits
  double normal();                           // standard normal (inverse transform of one uniform: one draw a value)
  std::uint64_t below(std::uint64_t bound);  // [0, bound), unbiased; bound > 0
  std::vector<std::int64_t> permutation(std::int64_t size);

  std::uint64_t position() const { return position_; }  // draws of next() so far
  void seek(std::uint64_t position) { position_ = position; }

 private:
  std::uint64_t key_ = 0;
  std::uint64_t stream_ = 0;
  std::uint64_t position_ = 0;
};

// The quantile function of the standard normal (Wichura 1988, algorithm AS 241, relative error 1e-16); p in (0, 1).
double normal_quantile(double p);

}  // namespace attune
