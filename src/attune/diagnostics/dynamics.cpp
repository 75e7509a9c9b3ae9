#include "attune/diagnostics/dynamics.h"

#include <algorithm>

#include "attune/base/errors.h"

namespace attune::diagnostics {

std::string_view name(Fate fate) {
  static constexpr std::string_view names[] = {"kept", "learned", "forgotten", "never"};
  return names[static_cast<std::size_t>(fate)];
}

Fate fate_of(std::span<const std::uint8_t> right) {
  require(!right.empty(), "a history without a checkpoint");
  if (right.back() != 0) return right.front() != 0 ? Fate::kept : Fate::learned;
  const bool once = std::any_of(right.begin(), right.end(), [](std::uint8_t value) { return value != 0; });
  return once ? Fate::forgotten : Fate::never;
}

Dynamics dynamics_of(std::span<const PairHistory> pairs) {
  require(!pairs.empty(), "dynamics of no pairs");
  const std::size_t checkpoints = pairs.front().right.size();
  const auto count = static_cast<double>(pairs.size());
  Dynamics result;
  result.movements.resize(checkpoints - 1);
  result.mean_loss.resize(checkpoints);
  result.accuracy.resize(checkpoints);
  for (const PairHistory& pair : pairs) {
    ++result.by_fate[static_cast<std::size_t>(fate_of(pair.right))];
    for (std::size_t t = 0; t < checkpoints; ++t) {
      result.mean_loss[t] += pair.loss[t] / count;
      result.accuracy[t] += pair.right[t] / count;
      if (t == 0) continue;
      Movement& movement = result.movements[t - 1];
      const bool before = pair.right[t - 1] != 0, after = pair.right[t] != 0;
      ++(before ? (after ? movement.stay_right : movement.to_wrong)
                : (after ? movement.to_right : movement.stay_wrong));
      result.forgetting_events += before && !after ? 1 : 0;
    }
  }
  return result;
}

}  // namespace attune::diagnostics
