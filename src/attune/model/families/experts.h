// Many feed-forward parts, of which each token visits a few.
#pragma once

#include <string>
#include <vector>

#include "attune/model/config_reader.h"
#include "attune/model/families/weights.h"

namespace attune::families {

struct ExpertsDefaults {
  std::string_view count_key = "num_experts";
  std::int64_t count = 8, a_token = 2;
};
// How many there are and how many a token visits, in all layers, and the factor of the load-balancing loss, which is 0
// unless output_router_logits asks for it.
ExpertsConfig read_experts(const ConfigReader& reader, const ModelConfig& config, const ExpertsDefaults& defaults);

struct ExpertNames {
  std::string gate, up, down;
};

class Experts {
 public:
  Experts() = default;
  // `gate`, the router, and experts.<i>.<names> below the path of the weights.
  Experts(const Weights& weights, const ExpertNames& names);

  struct Output {
    Tensor mixed;    // [n, d]
    Tensor routing;  // Residual::routing
  };
  // The router's softmax over all experts; the `a_token` largest, which sum to 1 where they are normalised, weigh what
  // these experts make of the token. x: [n, d].
  Output operator()(const Tensor& x) const;

 private:
  Tensor router_;  // [experts, d]
  std::vector<FeedForward> each_;
  std::int64_t a_token_ = 0;
  bool normalised_ = false;
};

}  // namespace attune::families
