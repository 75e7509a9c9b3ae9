// What a model of annotators answers: labels with beliefs, annotators with their skill.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "attune/reports/report.h"
#include "attune/statistics/ratings.h"
#include "attune/stats/label_votes.h"

namespace attune {

struct FittedTruth {
  const char* name = "";  // of the statistic
  std::string title = {};
  const char* skill = "";  // what an annotator's number means: "competence"
  std::span<const double> beliefs = {};
  std::span<const double> skills = {};  // by annotator
  double log_likelihood = 0;
  bool converged = true;
};

// {"labels", "items": [{"item", "label", "beliefs"}], "annotators": [{"annotator", skill, "ratings"}],
// "majority_agreement", ...}: the share of items with a strict majority whose label it is.
ReportPage truth_page(const Ratings& ratings, const NumberedVotes& numbered, const FittedTruth& fitted);

}  // namespace attune
