// The reference model of a preference run and how it moves: frozen at the start of the stage, the policy itself, or
// following the policy at a distance.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "attune/model/language_model.h"
#include "attune/objectives/objective.h"
#include "attune/tensor/safetensors.h"
#include "attune/train/run.h"

namespace attune {

// theta <- theta + momentum (theta - before), in place; `before` becomes what theta was. Flat weights [n] or any shape.
void extrapolate(Tensor& theta, Tensor& before, double momentum);

// How steps come by what a frozen model says.
enum class FrozenUse {
  column,  // sums of a model that does not move: computed once, and the model is let go
  policy,  // the policy itself, live or without its adapter
  copy,    // a whole model that stays beside the policy
};
FrozenUse frozen_use(const RunSettings& settings, const Needs& needs, std::string_view role);

class Reference {
 public:
  // `policy` must outlive this; what it holds now is where the reference starts, unless the settings name a folder.
  // `steps`: of the stage. Throws ConfigError for a reference that an adapter cannot follow.
  Reference(LanguageModel& policy, const ReferenceSettings& settings, const Rounds& rounds, std::int64_t steps);

  // True when log-probabilities computed at the start stay true to the end.
  bool constant() const { return every_ == 0 && !live_; }
  // A model to be bound under "reference". nullptr: the policy without its adapter.
  std::shared_ptr<const LanguageModel> model() const { return model_; }

  // After optimiser step `step` (from 1) of the stage: moves the reference where one is due; true when it moved. With
  // momentum the policy moves too (then a step's evaluation is behind it).
  bool after_step(std::int64_t step);

  // Everything beside the policy that later steps depend on, to be written to checkpoints and filled from them.
  std::vector<NamedTensor> state() const;

 private:
  Tensor policy_weights() const;  // [n] flat, adapter included
  void follow_average(std::int64_t step);

  LanguageModel& policy_;
  ReferenceSettings settings_;
  bool live_ = false;
  std::int64_t every_ = 0;
  double momentum_ = 0;
  std::shared_ptr<LanguageModel> own_;  // moves; nullptr: constant or live
  std::shared_ptr<const LanguageModel> model_;
  Tensor start_, average_;  // of the bias-corrected moving average
  Tensor before_;           // where the last round ended, before extrapolation
};

}  // namespace attune
