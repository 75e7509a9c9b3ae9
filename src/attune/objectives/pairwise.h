// What losses on pairs share: the columns of both sides, and the metrics every one of them reports.
#pragma once

#include "attune/policy/loss.h"
#include "attune/policy/responses.h"

namespace attune::objectives {

// The two sides of P pairs, [P] each, nats. A side's log-ratio is log pi - log reference.
struct PairSides {
  Tensor chosen, rejected;                      // log pi, with gradient
  Tensor chosen_reference, rejected_reference;  // undefined for objectives without a reference
  Tensor chosen_length, rejected_length;        // scored tokens
  Tensor chosen_log_ratio() const { return chosen - chosen_reference; }
  Tensor rejected_log_ratio() const { return rejected - rejected_reference; }
};

PairSides pair_sides(const Responses& responses);                         // without a reference
PairSides pair_sides(const Responses& responses, const char* reference);  // with that frozen model's columns

// rewards/{chosen,rejected,accuracies,margins} and logps/{chosen,rejected}: means over pairs, under TRL's names.
// `chosen_reward` and `rejected_reward` [P] are the implicit rewards, in nats times beta.
void add_pair_metrics(Metrics& metrics, const PairSides& sides, const Tensor& chosen_reward,
                      const Tensor& rejected_reward);

}  // namespace attune::objectives
