// MACE (Hovy et al. 2013, "Learning whom to trust with MACE"): an annotator either knows the label or spams, and each
// spams in a way of their own.
#pragma once

#include <cstdint>
#include <vector>

#include "attune/stats/label_votes.h"

namespace attune {

struct MaceOptions {
  int restarts = 10;  // from random points; the best one counts
  int iterations = 50;
  // Of the paper's variational training: Beta(prior, prior) on competence, Dirichlet(spam_prior) on the way of
  // spamming. Off: expectation maximisation with `smoothing` added to each count, whose objective never falls.
  bool variational = true;
  double prior = 0.5, spam_prior = 10;
  double smoothing = 0.01;
  std::uint64_t seed = 0;
};

struct Mace {
  LabelBeliefs beliefs = {};
  std::vector<double> competence = {};  // a rater's probability of not spamming
  std::vector<double> spamming = {};    // [rater][label]: what is said when spamming
  std::vector<double> likelihoods =
      {};  // of the best start: each step's log-likelihood (without `variational`: plus log prior)
};

Mace fit_mace(const LabelVotes& votes, const MaceOptions& options = {});

}  // namespace attune
