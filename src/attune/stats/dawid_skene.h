// Dawid and Skene (1979, "Maximum likelihood estimation of observer error-rates using the EM algorithm"): every
// annotator has a table of how often each true label is called what.
#pragma once

#include <vector>

#include "attune/stats/label_votes.h"

namespace attune {

struct DawidSkeneOptions {
  // Added to every count of every annotator's table and of the labels: 0 is maximum likelihood, above it the mode under
  // a Dirichlet prior, which few votes an annotator need.
  double smoothing = 0;
  ExpectationOptions steps = {};
};

struct DawidSkene {
  LabelBeliefs beliefs = {};
  std::vector<double> prior = {};      // of the labels
  std::vector<double> confusion = {};  // [rater][true label][label said]
  // The log-likelihood (with smoothing: plus the log prior density, up to a constant) before each step: never falls.
  std::vector<double> likelihoods = {};
  bool converged = false;
};

// Starts from the shares of the votes. Raters without a vote get equal chances.
DawidSkene fit_dawid_skene(const LabelVotes& votes, const DawidSkeneOptions& options = {});

// How often a rater is right when labels come as `prior` says.
std::vector<double> rater_accuracies(const DawidSkene& model);

}  // namespace attune
