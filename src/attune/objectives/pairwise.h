// The algebra of losses on pairs. One loss is a choice in each row:
//
//   score of a side     log pi - log reference, or its f-divergence, or log pi alone
//   length              summed, averaged per token, or the tail beyond the shorter answer discounted (LD-DPO)
//   offset and weight   of the data's margin, of lengths (R-DPO), of the data and of likelihoods (WPO)
//   label               hard, smoothed, or a share of votes: p l(chosen, rejected) + (1 - p) l(rejected, chosen)
//   link                l itself, the one line that an objective's file adds
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "attune/base/errors.h"
#include "attune/objectives/objective.h"

namespace attune::objectives {

// The two sides of P pairs, [P] each, nats. A side's log-ratio is log pi - log reference.
struct PairSides {
  Tensor chosen, rejected;                      // log pi, with gradient
  Tensor chosen_reference, rejected_reference;  // undefined for objectives without a reference
  Tensor chosen_length, rejected_length;        // scored tokens
  Tensor chosen_log_ratio() const { return chosen - chosen_reference; }
  Tensor rejected_log_ratio() const { return rejected - rejected_reference; }
};

PairSides pair_sides(const Responses& responses);                         // without a reference
PairSides pair_sides(const Responses& responses, const char* reference);  // with that frozen model's columns
// The same with the tokens of the longer answer beyond the length of the shorter one counted `tail` times, in [0, 1].
// Reads per-token columns. Liu et al. 2024, Length Desensitization in DPO, arXiv:2409.06411.
PairSides pair_sides(const Responses& responses, const char* reference, double tail);

// rewards/{chosen,rejected,accuracies,margins} and logps/{chosen,rejected}: means over pairs, under TRL's names.
// `chosen_reward` and `rejected_reward` [P] are the implicit rewards, in nats times beta. Beside them, at no further
// pass, what attune diagnose looks at in full:
//   rankings/accuracies   1[log pi(c) >= log pi(r)]: who is likelier, not who gained
//   logps/chosen_fell     1[log pi(c) < log ref(c)]: likelihood displacement; with a reference
//   field/log_ratios      log(x2 / x1), x = pi / ref of the rejected and the chosen answer: for DPO, the logarithm of
//   how
//                         hard the chosen one is pulled over how hard the rejected one is pushed; with a reference
void add_pair_metrics(Metrics& metrics, const PairSides& sides, const Tensor& chosen_reward,
                      const Tensor& rejected_reward);

// Links. All elementwise, finite wherever the result is representable.
Tensor logistic(const Tensor& x);                       // -log sigmoid(x)
Tensor logistic(const Tensor& x, const Tensor& p);      // p logistic(x) + (1 - p) logistic(-x): under a soft label
Tensor hinge(const Tensor& x);                          // max(0, 1 - x)
Tensor squared(const Tensor& x);                        // x^2
Tensor bernoulli_kl(const Tensor& a, const Tensor& b);  // KL(Bernoulli(sigmoid(a)) || Bernoulli(sigmoid(b)))
Tensor log_odds(const Tensor& log_p);                   // log(p / (1 - p)), log p clamped to at most -1e-7
Tensor log_one_minus(const Tensor& log_p);              // log(1 - p), clamped likewise

// Wang et al. 2023, Beyond Reverse KL, arXiv:2309.16240, table 1: the score is f'(pi / reference), less a constant that
// differences cannot see.
enum class Divergence { reverse_kl, forward_kl, js_divergence, alpha_divergence };
constexpr auto enum_names(Divergence) {
  return std::array{std::pair{std::string_view("reverse_kl"), Divergence::reverse_kl},
                    std::pair{std::string_view("forward_kl"), Divergence::forward_kl},
                    std::pair{std::string_view("js_divergence"), Divergence::js_divergence},
                    std::pair{std::string_view("alpha_divergence"), Divergence::alpha_divergence}};
}

enum class Length { sum, mean };
constexpr auto enum_names(Length) {
  return std::array{std::pair{std::string_view("sum"), Length::sum}, std::pair{std::string_view("mean"), Length::mean}};
}

enum class Weighting { none, wpo };
constexpr auto enum_names(Weighting) {
  return std::array{std::pair{std::string_view("none"), Weighting::none},
                    std::pair{std::string_view("wpo"), Weighting::wpo}};
}

enum class MarginUse { ignore, offset, scale };
constexpr auto enum_names(MarginUse) {
  return std::array{std::pair{std::string_view("ignore"), MarginUse::ignore},
                    std::pair{std::string_view("offset"), MarginUse::offset},
                    std::pair{std::string_view("scale"), MarginUse::scale}};
}

// The score of answers whose log-ratios those are; exponents are held below 80, where the score becomes flat.
Tensor divergence_score(Divergence divergence, double alpha, const Tensor& log_ratio);

// What a loss is a function of, [P] each.
struct PairScores {
  Tensor chosen = {}, rejected = {};                // s_c and s_r, with gradient; an offset is taken from s_c
  Tensor chosen_reward = {}, rejected_reward = {};  // what rewards/* report
  Tensor weight = {};                               // without gradient
  Tensor probability = {};                          // that the chosen answer is the better one, smoothing included
  PairSides sides = {};
};

// The choices of the algebra and their defaults; derived objectives expose those that make sense for them.
struct PairOptions {
  bool reference = true;
  double beta = 0.1;
  Divergence divergence = Divergence::reverse_kl;
  double divergence_alpha = 0.5;
  Length length = Length::sum;
  double ld_alpha = 1;  // 1: all tokens count
  double length_penalty = 0;
  Weighting weighting = Weighting::none;
  MarginUse margin = MarginUse::ignore;
  double label_smoothing = 0;
};

// l(s_c, s_r), elementwise over [P].
using PairLink = std::function<Tensor(const Tensor& chosen, const Tensor& rejected)>;

// An objective on comparisons, built from the algebra.
class PairObjective : public Objective {
 public:
  Needs needs() const override;
  void layout(const RecordView& record, Layout& layout) const override;
  std::string data() const override;

 protected:
  explicit PairObjective(PairOptions options = {}) : options_(options) {}
  // Whether a comparison carries what the loss needs; others are not laid out.
  virtual bool wants(const RecordView& record, const RecordView::Preference& preference) const;
  double beta() const { return options_.beta; }

  void describe_beta(Fields& fields, std::string_view help = "strength of the pull to the reference");
  void describe_smoothing(Fields& fields);
  // Options of every loss with a reference: how a side is summed and how a pair is weighted.
  void describe_sides(Fields& fields);
  // Further options of losses on the difference s_c - s_r, where divergences and offsets keep their meaning.
  void describe_score(Fields& fields);
  // All of the above but beta: what most losses on the difference have.
  void describe_difference(Fields& fields);

  // For objectives whose length treatment follows from another choice.
  virtual Length length() const { return options_.length; }

  PairScores scores(const Responses& responses) const;
  // sum of weight * value over pairs as one term, with the pair metrics.
  Loss loss(const char* name, const PairScores& scores, const Tensor& values) const;
  // The same with the expectation of `link` over the label.
  Loss loss(const char* name, const Responses& responses, const PairLink& link) const;

  PairOptions options_;

 private:
  PairSides sides(const Responses& responses) const;
  Tensor score(const Tensor& log_ratio, const Tensor& tokens) const;
};

// Whether the data gives both answers a score.
bool both_scored(const RecordView& record, const RecordView::Preference& preference);
// The data's scores of the chosen minus those of the rejected answers, [P].
Tensor score_gap(const Responses& responses);
// The comparison of the best-scored with the worst-scored completion; nullopt with fewer than two different scores.
std::optional<RecordView::Preference> best_and_worst(const RecordView& record);
// Completions that nobody judged: samples of a policy. No gold answer, no reason, nothing compared and no thumb.
std::vector<std::int32_t> samples_of(const RecordView& record);

// p l(s_c, s_r) + (1 - p) l(s_r, s_c).
Tensor expected(const PairScores& scores, const PairLink& link);

// Adds the mean negative log-likelihood of the tokens of one role, `weight` times, as the term "nll" and as the metric
// nll_loss.
void add_nll(Loss& loss, const Responses& responses, ResponseRole role, double weight);

}  // namespace attune::objectives
