// Watches a run on pairs for likelihood over-optimisation (diagnostics/overoptimisation.h): every so many steps a few
// fixed comparisons are scored, and when their curve says stop a warning says so, once a rule.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/base/json.h"
#include "attune/diagnostics/overoptimisation.h"
#include "attune/model/language_model.h"
#include "attune/train/run.h"

namespace attune {

// When to look and at what: the records' indices.
struct MonitorPlan {
  int every = 0;  // steps; 0: never
  std::vector<std::size_t> records = {};
};

// What a step learns from, and how many of them there are.
struct MonitoredRun {
  double step_tokens = 0;
  std::int64_t steps = 0;
};

// With both numbers left to it, a plan whose looks cost at most half a per cent of the run's passes over tokens (a
// look is one pass, a step about three), which leaves as much for the top k of the vocabulary. Nothing for data without
// comparisons and for runs too short for four looks, before which no rule can hold.
MonitorPlan plan_monitor(const MonitorSettings& settings, std::span<const TokenRecord> records,
                         const MonitoredRun& run);

class Monitor {
 public:
  Monitor(const MonitorSettings& settings, const MonitorPlan& plan, std::span<const TokenRecord> records,
          std::string stage);

  // Takes up the curve of a run that goes on, from rows of its metrics.
  void recall(std::span<const Json> rows);

  // After step `step` of the stage, whose row is completed where a look is due (the first step is one):
  // likelihood/chosen and /rejected (mean log-likelihood of a token, nats), /entropy (H_k, bits) and /mass (M_k) along
  // the chosen answers.
  void after_step(LanguageModel& model, std::int64_t step, Json& row);

 private:
  void add(const diagnostics::LikelihoodPoint& point);

  MonitorSettings settings_;
  int every_;
  std::vector<TokenRecord> records_;
  std::vector<diagnostics::ComparedPair> pairs_;
  std::string stage_;
  std::vector<diagnostics::LikelihoodPoint> curve_;
};

}  // namespace attune
