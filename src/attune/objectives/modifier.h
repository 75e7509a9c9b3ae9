// An objective that adds something to another one: `objective:` names the other, dpo unless said otherwise.
#pragma once

#include <utility>

#include "attune/objectives/objective.h"

namespace attune::objectives {

class Modifier : public Objective {
 public:
  void check() const override { objective_->check(); }
  Rounds rounds() const override { return objective_->rounds(); }
  Needs needs() const override { return objective_->needs(); }
  std::string data() const override { return objective_->data(); }
  void layout(const RecordView& record, Layout& layout) const override { objective_->layout(record, layout); }
  Statistics gather(const Responses& responses) const override { return objective_->gather(responses); }
  Statistics update(const Statistics& previous, Statistics step) const override {
    return objective_->update(previous, std::move(step));
  }
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress& progress) const override {
    Loss loss = objective_->compute(responses, statistics, progress);
    for (Term& term : loss.terms) term.weight *= objective_.weight;
    return loss;
  }

 protected:
  void describe_objective(Fields& fields) {
    fields("objective", objective_, "what is minimised besides: any objective on comparisons");
  }

  Choice<Objective> objective_{*find_part<Objective>("dpo")};
};

}  // namespace attune::objectives
