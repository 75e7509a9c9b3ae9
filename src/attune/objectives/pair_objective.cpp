// The part of the algebra that options choose from: how a run file's keys become scores, weights and labels.
#include <ATen/ops/arange.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include "attune/objectives/pairwise.h"
#include "attune/objectives/token_level.h"

namespace attune::objectives {
namespace {

constexpr const char* log_sum_square = "log_sum_square";

// Per token log sum_v pi(v)^2: how likely a token drawn from the policy is the one that another draw gives.
VocabularyTerm log_sum_square_term() {
  return {log_sum_square, {}, [](const VocabularyChunk& chunk) {
            const at::NoGradGuard no_gradient;  // weights are constants
            return at::logsumexp(2 * chunk.logits, 1) - 2 * at::logsumexp(chunk.logits, 1);
          }};
}

// Zhou et al. 2024, WPO, arXiv:2406.11827, eq. 2: the mean probability of the answer's tokens, geometric, each
// relative to what the policy's own samples would have.
Tensor likelihood_weight(const Responses& responses) {
  const at::NoGradGuard no_gradient;
  const Tensor aligned = responses.tokens.logps - responses.tokens.vocabulary.at(log_sum_square);
  const Tensor weight = at::exp(sum_by_response(responses, aligned) / responses.lengths.clamp_min(1));
  return weight.index_select(0, responses.pairs.chosen) * weight.index_select(0, responses.pairs.rejected);
}

// One side's tokens of all pairs, one after the other: a response stands there once for each pair it is in.
struct PairTokens {
  Tensor token, pair, position;  // [M] int64: index into the token columns, into the pairs, and within the answer
};

PairTokens tokens_of(const Responses& responses, const Tensor& side) {
  const Tensor lengths = responses.lengths.to(at::kLong);
  const Tensor first = (lengths.cumsum(0) - lengths).index_select(0, side);
  const Tensor counts = lengths.index_select(0, side);
  PairTokens result;
  result.pair = at::repeat_interleave(counts);
  const Tensor before = (counts.cumsum(0) - counts).index_select(0, result.pair);
  result.position = at::arange(result.pair.size(0), counts.options()) - before;
  result.token = first.index_select(0, result.pair) + result.position;
  return result;
}

// [P]: the sum of one side's token log-probabilities, those from position `shared` on counted `tail` times.
Tensor discounted_sum(const Tensor& token_logps, const PairTokens& side, const Tensor& shared, double tail) {
  const Tensor logps = token_logps.index_select(0, side.token);
  const Tensor inside = side.position < shared.index_select(0, side.pair);
  return at::zeros(shared.sizes(), logps.options()).index_add(0, side.pair, at::where(inside, logps, tail * logps));
}

}  // namespace

PairSides pair_sides(const Responses& responses, const char* reference, double tail) {
  PairSides sides = pair_sides(responses);
  const Tensor shared = at::minimum(sides.chosen_length, sides.rejected_length).to(at::kLong);
  const PairTokens chosen = tokens_of(responses, responses.pairs.chosen);
  const PairTokens rejected = tokens_of(responses, responses.pairs.rejected);
  const Tensor &policy = responses.tokens.logps, &frozen = responses.model(reference).token_logps;
  sides.chosen = discounted_sum(policy, chosen, shared, tail);
  sides.rejected = discounted_sum(policy, rejected, shared, tail);
  sides.chosen_reference = discounted_sum(frozen, chosen, shared, tail);
  sides.rejected_reference = discounted_sum(frozen, rejected, shared, tail);
  return sides;
}

Needs PairObjective::needs() const {
  Needs needs;
  if (options_.reference) needs.models = {"reference"};
  if (options_.weighting == Weighting::wpo) needs.vocabulary = {log_sum_square_term()};
  needs.tokens = options_.ld_alpha < 1 || options_.weighting == Weighting::wpo;
  return needs;
}

std::string PairObjective::data() const {
  if (options_.margin == MarginUse::ignore) return Objective::data();
  return "comparisons that say by how much the chosen answer is better (a margin above 0)";
}

bool PairObjective::wants(const RecordView&, const RecordView::Preference& preference) const {
  return options_.margin == MarginUse::ignore || preference.margin > 0;
}

void PairObjective::layout(const RecordView& record, Layout& layout) const {
  for (const auto& preference : record.preferences) {
    if (!wants(record, preference)) continue;
    const auto chosen = layout.add(record, preference.chosen, ResponseRole::chosen);
    const auto rejected = layout.add(record, preference.rejected, ResponseRole::rejected);
    layout.pair(chosen, rejected, preference);
  }
}

void PairObjective::describe_beta(Fields& fields, std::string_view help) {
  fields("beta", options_.beta, help).above(0);
}

void PairObjective::describe_smoothing(Fields& fields) {
  fields("label_smoothing", options_.label_smoothing, "share of labels believed to be flipped (cDPO)").within(0, 0.499);
}

void PairObjective::describe_sides(Fields& fields) {
  fields("ld_alpha", options_.ld_alpha, "weight of the longer answer's tokens beyond the shorter one's length (LD-DPO)")
      .within(0, 1);
  fields("weighting", options_.weighting, "wpo: pairs count as much as the policy would have written them");
}

void PairObjective::describe_difference(Fields& fields) {
  describe_smoothing(fields);
  describe_sides(fields);
  describe_score(fields);
}

void PairObjective::describe_score(Fields& fields) {
  fields("divergence", options_.divergence, "what keeps the policy near the reference");
  fields("divergence_alpha", options_.divergence_alpha, "order of alpha_divergence; 1 is reverse_kl");
  fields("length", options_.length, "mean: scores are divided by the answer's tokens");
  fields("length_penalty", options_.length_penalty, "reward that a longer answer gets by itself, a token (R-DPO)")
      .at_least(0);
  fields("margin", options_.margin, "what the data's margins do: shift the reward difference, or scale the loss");
}

PairSides PairObjective::sides(const Responses& responses) const {
  if (!options_.reference) return pair_sides(responses);
  if (options_.ld_alpha < 1) return pair_sides(responses, "reference", options_.ld_alpha);
  return pair_sides(responses, "reference");
}

Tensor PairObjective::score(const Tensor& log_ratio, const Tensor& tokens) const {
  Tensor score = divergence_score(options_.divergence, options_.divergence_alpha, log_ratio);
  if (length() == Length::mean) score = score / tokens.clamp_min(1);
  if (options_.length_penalty > 0) score = score + options_.length_penalty / options_.beta * tokens;
  return score;
}

PairScores PairObjective::scores(const Responses& responses) const {
  PairScores result{.sides = sides(responses)};
  const PairSides& sides = result.sides;
  const Tensor chosen = options_.reference ? sides.chosen_log_ratio() : sides.chosen;
  const Tensor rejected = options_.reference ? sides.rejected_log_ratio() : sides.rejected;
  result.chosen = score(chosen, sides.chosen_length);
  result.rejected = score(rejected, sides.rejected_length);
  result.chosen_reward = options_.beta * (options_.reference ? chosen : result.chosen);
  result.rejected_reward = options_.beta * (options_.reference ? rejected : result.rejected);
  result.weight = responses.pairs.weight;
  if (options_.weighting == Weighting::wpo) result.weight = result.weight * likelihood_weight(responses);
  if (options_.margin == MarginUse::scale) result.weight = result.weight * responses.pairs.margin;
  if (options_.margin == MarginUse::offset) result.chosen = result.chosen - responses.pairs.margin / options_.beta;
  const double flipped = options_.label_smoothing;
  result.probability = flipped + (1 - 2 * flipped) * responses.pairs.probability;
  return result;
}

Loss PairObjective::loss(const char* name, const PairScores& scores, const Tensor& values) const {
  Loss loss;
  loss.terms.push_back({.name = name, .sum = (scores.weight * values).sum(), .per = Per::pair});
  add_pair_metrics(loss.metrics, scores.sides, scores.chosen_reward, scores.rejected_reward);
  return loss;
}

Loss PairObjective::loss(const char* name, const Responses& responses, const PairLink& link) const {
  const PairScores scores = this->scores(responses);
  return loss(name, scores, expected(scores, link));
}

}  // namespace attune::objectives
