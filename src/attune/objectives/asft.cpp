// Aligned supervised fine-tuning: each answer's absolute likelihood, no comparison of the two.
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

enum class AsftScore { likelihood, log_ratio };
constexpr auto enum_names(AsftScore) {
  return std::array{std::pair{std::string_view("likelihood"), AsftScore::likelihood},
                    std::pair{std::string_view("log_ratio"), AsftScore::log_ratio}};
}

class Asft final : public PairObjective {
  AsftScore score_ = AsftScore::likelihood;
  double lambda_ = 1, sft_weight_ = 1;

 public:
  Asft() : PairObjective({.reference = false, .length = Length::mean}) {}

  void describe(Fields& fields) {
    fields("score", score_, "likelihood: of a token, geometric mean; log_ratio: beta times that to a frozen reference");
    describe_beta(fields, "scale of score: log_ratio");
    fields("lambda", lambda_, "weight of the alignment part").above(0);
    fields("sft_weight", sft_weight_, "weight of the chosen answer's NLL a token; 0 after a stage of sft").at_least(0);
  }

  Needs needs() const override {
    if (score_ == AsftScore::likelihood) return {};
    return {.models = {"reference"}};
  }

  // Wang et al. 2024: NLL(c) - lambda (log sigmoid(o(c)) + log sigmoid(-o(r))) with log odds o, whose sigmoid is p.
  // That p is averaged per token, as in ORPO, is our choice: of a summed one log(1 - p) would vanish for any long
  // answer. (turbo-alignment, which has the loss too, leaves the averaging to a setting of all its losses.)
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    Loss result = score_ == AsftScore::likelihood ? absolute(responses) : relative(responses);
    result.terms[0].weight = lambda_;
    if (sft_weight_ > 0) add_nll(result, responses, ResponseRole::chosen, sft_weight_);
    return result;
  }

 private:
  Loss absolute(const Responses& responses) const {
    return loss("asft", responses,
                [](const Tensor& chosen, const Tensor& rejected) { return -chosen - log_one_minus(rejected); });
  }
  Loss relative(const Responses& responses) const {
    PairScores s = scores(responses);
    s.sides = pair_sides(responses, "reference");
    s.chosen = s.chosen_reward = beta() * s.sides.chosen_log_ratio();
    s.rejected = s.rejected_reward = beta() * s.sides.rejected_log_ratio();
    return loss("asft", s, expected(s, [](const Tensor& chosen, const Tensor& rejected) {
                  return logistic(chosen) + logistic(-rejected);
                }));
  }
};

ATTUNE_PART(
    Objective, asft, Asft,
    .summary = "raises the likelihood of the chosen answer and lowers the rejected one's, each in absolute terms",
    .formula = "NLL(c) - lambda (log p(c) + log(1 - p(r))),  p(y) = pi(y)^(1/|y|)",
    .paper = "Wang et al. 2024, ASFT: Aligned Supervised Fine-Tuning through Absolute Likelihood, arXiv:2409.10571");

}  // namespace attune::objectives
