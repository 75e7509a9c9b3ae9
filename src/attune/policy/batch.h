// One micro-batch: which responses, in which roles, paired and grouped how. Objectives lay it out from records; a
// policy scores it.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "attune/policy/responses.h"

namespace attune {

// What of a response is scored: the answer, prompt and answer (all tokens but the first, which nothing predicts), or
// both as one, by the state at their end.
enum class Extent { answer, whole, end };

// What the data says of one completion; the defaults say nothing.
struct CompletionLabels {
  double score = std::numeric_limits<double>::quiet_NaN();
  double weight = 1;
  double behaviour_logp = std::numeric_limits<double>::quiet_NaN();  // of the sampler that wrote it, nats
  std::int32_t level = -1;           // how much was taken out of it; -1: no such variant
  std::vector<double> columns = {};  // in order of Needs::labels, NaN where nobody said anything; may be empty
};

// One response to score: completion `completion` of record `record`, after the prompt of record `prompt` (the same
// one but for KL probes).
struct PlannedResponse {
  std::int64_t record = 0;
  std::int32_t completion = 0;
  std::int64_t prompt = 0;
  ResponseRole role = ResponseRole::chosen;
  std::int64_t tokens = 0;  // scored ones
  Extent extent = Extent::answer;
  CompletionLabels labels = {};
};

struct PlannedPair {
  std::int64_t chosen = 0, rejected = 0;  // indices into the responses
  double margin = 0, weight = 1, probability = 1;
  std::array<double, vote_kinds> votes = {};
};

struct Batch {
  std::vector<PlannedResponse> responses = {};
  std::vector<PlannedPair> pairs = {};
  std::vector<std::int64_t> group = {};  // of each response, -1: none; empty: no groups
  std::int64_t records = 0;
  // Log-probabilities of frozen models that are known beforehand: role -> [R]. What is missing is computed.
  std::map<std::string, Tensor> known_logps = {};

  // Only the responses in these roles; pairs and groups that lose a response are left out.
  Batch with(Roles roles) const;
  // The part of Responses that the plan alone decides: roles, lengths, labels, pairs, groups; `like` gives dtype and
  // device.
  Responses skeleton(const Tensor& like) const;
};

}  // namespace attune
