// Crowd-BT (Chen et al. 2013, "Pairwise ranking aggregation in a crowdsourced setting"): Bradley and Terry's model
// where each annotator reports the better one with a reliability of their own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/stats/matches.h"

namespace attune {

struct RatedMatch {
  Match match = {};
  std::int32_t rater = 0;
};

struct CrowdBtOptions {
  // Half-won matches of each contestant against one of strength 0 (the paper's lambda): without it the scale of
  // strengths and reliabilities near 1 pull each other without bound.
  double prior = 1;
  double rater_prior = 1;  // right votes that each annotator starts with, per vote of `start_reliability`'s odds
  double start_reliability = 0.9;  // fixes which of the two mirror images (all ranks turned, all liars) is found
};

struct CrowdBt {
  std::vector<double> strengths = {};    // log-odds
  std::vector<double> reliability = {};  // P(a rater says the better one); below 0.5 votes against
  double log_likelihood = 0;             // of the matches alone
  double steepness = 0;                  // of the objective at the end: 0 at an optimum
  bool converged = false;
};

// P(a beats b, says r) = e_r s(d) + (1 - e_r) s(-d), d = strength a - strength b. A tie is half a vote each way. The
// likelihood has several optima: this is the one that the start leads to.
CrowdBt fit_crowd_bt(std::span<const RatedMatch> matches, std::int32_t contestants, std::int32_t raters,
                     const CrowdBtOptions& options = {});

}  // namespace attune
