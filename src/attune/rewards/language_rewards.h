// Rewards that a frozen language model gives without having been trained for it: how likely it finds the words that
// would follow a good answer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/model/language_model.h"
#include "attune/policy/token_record.h"

namespace attune {

// Of a text that follows another.
struct Likelihood {
  double logp = 0;  // nats, over its tokens
  std::int64_t tokens = 0;
};

// Of every completion of every record given the record's prompt, each prompt computed once, at most `tokens` tokens at
// a time.
std::vector<std::vector<Likelihood>> likelihoods(LanguageModel& model, std::span<const TokenRecord> records,
                                                 std::int64_t tokens);

// p(yes) / (p(yes) + p(no)), which is sigmoid(logit_yes - logit_no) where both are one token; of an unwanted quality
// p(no) / (p(yes) + p(no)) (Gallego 2023, ZYN: Zero-Shot Reward Models with Yes-No Questions, arXiv:2308.06385).
double yes_no_reward(const Likelihood& yes, const Likelihood& no, bool wanted = true);

// What a user might say next, content with the answer or not.
struct FollowUp {
  std::string_view aspect = {};
  bool content = true;
  std::string_view text = {};
};

// Six aspects, several things to say of each either way.
std::span<const FollowUp> follow_ups();

// The mean over the aspects of: the mean log-probability a token of what a content user says, a mean over those texts,
// less the same of what others say (Zhang et al. 2024, Aligning Language Models Using Follow-up Likelihood as Reward
// Signal, arXiv:2409.13948). `said[i]` is the likelihood of `texts[i]`; every aspect has texts of both kinds, none
// empty.
double follow_up_reward(std::span<const FollowUp> texts, std::span<const Likelihood> said);

}  // namespace attune
