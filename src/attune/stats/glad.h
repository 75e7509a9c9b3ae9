// GLAD (Whitehill et al. 2009, "Whose vote should count more"): the chance of a right vote grows with the annotator's
// ability and falls with the item's difficulty: sigmoid(ability * ease).
#pragma once

#include <vector>

#include "attune/stats/label_votes.h"

namespace attune {

struct GladOptions {
  // Normal priors, as in the paper's code: ability and log ease around 1 and 1 with this precision. 0: none, and then
  // abilities of annotators without an error grow without bound.
  double ability_mean = 1, log_ease_mean = 1, precision = 1;
  ExpectationOptions steps = {.most_iterations = 100, .tolerance = 1e-8};
};

struct Glad {
  LabelBeliefs beliefs = {};
  std::vector<double> ability = {};      // a rater's; below 0 votes against the truth
  std::vector<double> ease = {};         // an item's, above 0; its inverse is the difficulty
  std::vector<double> likelihoods = {};  // log-likelihood plus log prior before each step: never falls
  bool converged = false;
};

// Labels are equally likely beforehand; wrong ones share what is left: (1 - sigmoid) / (labels - 1).
Glad fit_glad(const LabelVotes& votes, const GladOptions& options = {});

}  // namespace attune
