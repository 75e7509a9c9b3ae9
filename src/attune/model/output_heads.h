// Trainable heads beside the language model: small linear maps of hidden states to numbers (a value, a reward, classes,
// a token mask).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/tensor/parameters.h"

namespace attune {

// Which states of a response a head looks at.
enum class HeadRows {
  before_answer,  // the state that predicts the first scored token: a function of the prompt, [R, outputs]
  last_token,     // the state at the last token of the response, [R, outputs]
  scored_tokens,  // the states that predict each scored token, [N, outputs]
};

enum class HeadKind {
  linear,      // W h of the final state (after the last norm)
  layer_mask,  // mean over blocks of relu(W_l h_l + b_l) of the frozen reference's states; only at scored tokens
};

struct HeadSpec {
  std::string name = {};
  HeadRows rows = HeadRows::last_token;
  int outputs = 1;
  HeadKind kind = HeadKind::linear;
  bool detached = false;  // true: no gradient reaches the model through this head
};

// The file that holds a folder's heads.
inline constexpr const char* heads_file = "heads.safetensors";

class OutputHeads {
 public:
  // Linear heads start at 0, so that an untrained value or reward is 0; masks start at 1 everywhere (b = 1, W small,
  // drawn from the seed). `width`: of the hidden states; `layers`: blocks of the model.
  OutputHeads(std::vector<HeadSpec> specs, std::int64_t width, std::int64_t layers, std::uint64_t seed,
              const at::TensorOptions& options);

  const std::vector<HeadSpec>& specs() const { return specs_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

  // hidden [n, d] (layer_mask: [layers, n, d]) -> [n, outputs].
  Tensor apply(const HeadSpec& spec, const Tensor& hidden) const;

  // Takes over the heads of the folder that have the same names and shapes; how many those are.
  std::size_t load(const Path& folder);
  void save(Fs& fs, const Path& folder) const;

 private:
  std::vector<HeadSpec> specs_;
  Parameters parameters_;  // heads/<name>.weight, heads/<name>.bias
};

}  // namespace attune
