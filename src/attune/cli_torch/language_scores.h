// Scores of a frozen language model that was trained for nothing of the kind: what it thinks the next words are.
#pragma once

#include <string>
#include <vector>

#include "attune/data/record.h"
#include "attune/rewards/ensemble.h"
#include "attune/rewards/language_rewards.h"
#include "attune/text/tokenizer.h"

namespace attune {

struct YesNoQuestions {
  std::vector<std::string> questions = {};  // about a text; what they ask for is wanted, or is not
  bool wanted = true;
  Combine combine = Combine::mean;  // of the answers to several
  double factor = 1;
};

// Of every completion of every record. The model reads "Text: ANSWER", the question and "Response:", and its
// probabilities of " Yes" and " No" are compared.
std::vector<std::vector<double>> yes_no_scores(LanguageModel& model, const Tokenizer& tokenizer, const Dataset& dataset,
                                               const YesNoQuestions& asked, std::int64_t batch_tokens);

// The model reads the conversation as a transcript, "User: ..." and "Assistant: ...", and goes on as the user; plain
// text stands as it is.
std::vector<std::vector<double>> follow_up_scores(LanguageModel& model, const Tokenizer& tokenizer,
                                                  const Dataset& dataset, std::int64_t batch_tokens);

}  // namespace attune
