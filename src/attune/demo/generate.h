// The demo's data set: questions, answers in every style, and votes of annotators with known, differing tastes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/data/record.h"

namespace attune::demo {

struct DemoOptions {
  std::uint64_t seed = 0;
  int pairs_per_prompt = 4;    // compared on each training prompt
  int answers_per_prompt = 8;  // to imitate, on each training prompt
  int votes_per_pair = 6;      // as many of each kind, as far as that divides
  int annotators_per_kind = 8;
  double held_out = 0.2;        // share of the prompts
  double individuality = 0.25;  // standard deviation of a person's weights, relative to those of the kind
  double tie_below = 0.25;      // a felt difference smaller than that is called a tie
};

struct DemoData {
  Dataset sft = {};                   // one completion a record, in the styles people write in
  Dataset preferences = {};           // two completions a record, one comparison a vote
  Dataset held_out_preferences = {};  // the same on prompts that stand in neither of the others
  std::vector<std::string> train_prompts = {}, held_out_prompts = {};
};

// A pure function of its options. Every fact is asked for in training, in other words than in what is held out. Records
// are plain text: the prompt ends in a newline, the completion is one line without it. Annotators are called
// "polite-3" and have the trait "kind".
DemoData make_demo_data(const DemoOptions& options = {});

}  // namespace attune::demo
