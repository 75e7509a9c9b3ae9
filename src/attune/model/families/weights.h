// A family's weights, said once: the constructor of a block declares them, for files and the flat buffer, when no
// parameters are there yet, and is bound to them when they are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "attune/model/families/pieces.h"
#include "attune/model/model_config.h"
#include "attune/tensor/parameters.h"

namespace attune::families {

struct LinearOptions {
  bool bias = false;
  bool transposed = false;  // the file holds [in, out] (GPT-2's Conv1D)
  double deviation = 0;     // of the start; 0: the config's
};

class Weights {
 public:
  explicit Weights(const ModelConfig& config);                       // declares
  Weights(const ModelConfig& config, const Parameters& parameters);  // binds; both must outlive it
  Weights in(const std::string& path) const;                         // names below go behind this path

  const ModelConfig& config() const { return *config_; }
  // What was declared so far, here and in all scopes of it.
  std::vector<ParameterSpec> declared() const { return *specs_; }

  // One matrix of several modules one above the other, paths and rows: `<path>.weight`, and `<path>.bias` where asked.
  Linear fused(const std::vector<std::pair<std::string, std::int64_t>>& modules, std::int64_t columns,
               const LinearOptions& options = {}) const;
  Linear linear(const std::string& path, std::int64_t rows, std::int64_t columns,
                const LinearOptions& options = {}) const {
    return fused({{path, rows}}, columns, options);
  }
  Norm norm(NormKind kind, const std::string& path, std::int64_t width, bool bias = false) const;
  // With a weight of its own for every head.
  Norm norm_by_head(NormKind kind, const std::string& path, std::int64_t heads) const;

  // The parts that most families name alike. Projections by the config's heads and biases:
  Linear queries_keys_values(const std::string& path) const;  // q_proj, k_proj and v_proj below `path`
  Linear attention_out(const std::string& path) const;
  // gate_proj, up_proj and down_proj below `path`, or those of other names.
  FeedForward gated_feed_forward(const std::string& path, std::int64_t width) const;
  FeedForward gated_feed_forward(const std::string& gate, const std::string& up, const std::string& down,
                                 std::int64_t width) const;
  FeedForward feed_forward(const std::string& up, const std::string& down) const;
  AttentionShape attention() const;

 private:
  Tensor leaf(const std::string& name) const;

  const ModelConfig* config_;
  const Parameters* parameters_ = nullptr;
  std::shared_ptr<std::vector<ParameterSpec>> specs_;
  std::string path_;
};

}  // namespace attune::families
