#include "attune/objectives/pairwise.h"

#include <ATen/ops/index_select.h>

namespace attune::objectives {

PairSides pair_sides(const Responses& responses) {
  const auto& [chosen, rejected] = std::tie(responses.pairs.chosen, responses.pairs.rejected);
  PairSides sides;
  sides.chosen = responses.logps.index_select(0, chosen);
  sides.rejected = responses.logps.index_select(0, rejected);
  sides.chosen_length = responses.lengths.index_select(0, chosen);
  sides.rejected_length = responses.lengths.index_select(0, rejected);
  return sides;
}

PairSides pair_sides(const Responses& responses, const char* reference) {
  PairSides sides = pair_sides(responses);
  const Tensor& logps = responses.model(reference).logps;
  sides.chosen_reference = logps.index_select(0, responses.pairs.chosen);
  sides.rejected_reference = logps.index_select(0, responses.pairs.rejected);
  return sides;
}

void add_pair_metrics(Metrics& metrics, const PairSides& sides, const Tensor& chosen_reward,
                      const Tensor& rejected_reward) {
  const auto pairs = static_cast<double>(sides.chosen.size(0));
  const auto add = [&](const char* name, const Tensor& values) { metrics.add(name, values.sum(), pairs); };
  const Tensor margin = (chosen_reward - rejected_reward).detach();
  add("rewards/chosen", chosen_reward);
  add("rewards/rejected", rejected_reward);
  add("rewards/margins", margin);
  // A tie is half right: a policy that equals its reference scores 0.5, not 0.
  add("rewards/accuracies", (margin > 0).to(margin.scalar_type()) + 0.5 * (margin == 0).to(margin.scalar_type()));
  add("logps/chosen", sides.chosen);
  add("logps/rejected", sides.rejected);
}

}  // namespace attune::objectives
