// How much less often refusals win battles than other answers, and what is left of that at equal length.
#include <cmath>
#include <map>

#include "attune/evals/eval.h"
#include "attune/statistics/answers.h"
#include "attune/stats/logistic.h"

namespace attune::evals {
namespace {

struct Battle {
  std::string classes[2] = {};
  double won = 0;  // of the first
  double log_length = 0;
};

class RefusalPenalty final : public Eval {
  std::string class_a_ = "class_a", class_b_ = "class_b", winner_ = "winner", judge_ = "judge_winner",
              length_a_ = "length_a", length_b_ = "length_b", standard_ = "standard", refusal_ = "ethical_refusal";
  double l2_ = 1e-6;
  IntervalOptions interval_;

  static std::optional<double> won_in(const EvidenceRow& row, const std::string& column) {
    const Json& cell = cell_of(row, column);
    if (cell.is_null()) return std::nullopt;
    const std::string word = text_of(cell);
    if (word == "model_a" || word == "a") return 1;
    if (word == "model_b" || word == "b") return 0;
    if (word.starts_with("tie") || word == "both_bad") return 0.5;
    refuse_cell(row, column, "a winner that is neither", "model_a, model_b or tie");
  }

  std::vector<Battle> battles_of(const Evidence& data, const std::string& column, EvalResult& result) const {
    std::vector<Battle> battles;
    const bool lengths = data.has_columns({length_a_, length_b_});
    for (const EvidenceRow& row : data.rows()) {
      const auto won = won_in(row, column);
      if (!won) {
        result.leave_out("battles without a winner", std::to_string(row.line));
        continue;
      }
      Battle battle{.classes = {text_in(row, class_a_), text_in(row, class_b_)}, .won = *won};
      if (lengths) {
        const double a = number_in(row, length_a_), b = number_in(row, length_b_);
        if (!(a >= 0 && b >= 0)) refuse_cell(row, length_a_, "a negative length", "0 or more");
        battle.log_length = std::log1p(a) - std::log1p(b);
      }
      battles.push_back(std::move(battle));
    }
    return battles;
  }

  static std::map<std::string, Share> rates_of(std::span<const Battle> battles) {
    std::map<std::string, Share> rates;
    for (const Battle& battle : battles) {
      for (int side = 0; side < 2; ++side) {
        Share& share = rates[battle.classes[side]];
        share.successes += side == 0 ? battle.won : 1 - battle.won;
        share.trials += 1;
      }
    }
    return rates;
  }

  double penalty_of(std::span<const Battle> battles) const {
    const auto rates = rates_of(battles);
    const auto normal = rates.find(standard_), refused = rates.find(refusal_);
    if (normal == rates.end() || refused == rates.end()) return NAN;
    return 100 * (normal->second.value() - refused->second.value());
  }

  // Log-odds of winning by class, next to `standard`, at equal length.
  Json effects_json(const std::vector<Battle>& battles) const {
    Names classes;
    for (const Battle& battle : battles) {
      for (const std::string& name : battle.classes) {
        if (name != standard_) classes.add(name);
      }
    }
    SparseRows rows;
    std::vector<double> targets, weights;
    for (const Battle& battle : battles) {
      std::map<std::uint32_t, double> cells{{0, battle.log_length}};
      for (int side = 0; side < 2; ++side) {
        if (battle.classes[side] == standard_) continue;
        cells[static_cast<std::uint32_t>(1 + classes.find(battle.classes[side]))] += side == 0 ? 1 : -1;
      }
      rows.add(std::vector<SparseRows::Entry>(cells.begin(), cells.end()));
      targets.push_back(battle.won);
      weights.push_back(1);
    }
    const LogisticModel model = fit_soft_logistic(
        rows, targets, weights, {.l2 = l2_ * static_cast<double>(battles.size()), .intercept = false});
    Json effects = Json::object({{"log_length", model.weights[0]}});
    for (std::int32_t c = 0; c < classes.size(); ++c)
      effects.set(classes[c], model.weights[static_cast<std::size_t>(c) + 1]);
    return effects;
  }

 public:
  void describe(Fields& fields) {
    fields("class_a", class_a_, "column of what kind of answer the first is");
    fields("class_b", class_b_, "column of what kind the second is");
    fields("winner", winner_, "column of the winner: model_a, model_b, tie");
    fields("judge", judge_, "column of a judge's winner on the same battles, if there is one");
    fields("length_a", length_a_, "column of the first one's length, if there is one");
    fields("length_b", length_b_, "column of the second one's length");
    fields("standard", standard_, "the class of normal answers");
    fields("refusal", refusal_, "the class whose penalty is asked for");
    fields("l2", l2_, "penalty on the regression's effects a battle").above(0);
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "Refusal penalty (points of win rate)"};
    const auto battles = battles_of(input.data, winner_, result);
    result.score = penalty_of(battles);
    if (std::isnan(result.score)) {
      input.data.refuse("no battle of both a " + standard_ + " answer and a " + refusal_, "both classes",
                        "name them: standard=NAME refusal=NAME");
    }
    result.n = battles.size();
    const auto drawn_penalty = [&](std::span<const std::size_t> drawn) {
      std::vector<Battle> sample;
      for (const std::size_t i : drawn) sample.push_back(battles[i]);
      return penalty_of(sample);
    };
    result.interval = interval_.of(battles.size(), drawn_penalty).interval;
    Json rates = Json::object();
    for (const auto& [name, share] : rates_of(battles)) {
      rates.set(name,
                Json::object({{"win_rate", 100 * share.value()}, {"n", static_cast<std::int64_t>(share.trials)}}));
    }
    result.parts = Json::object({{"win_rates", std::move(rates)}, {"effects", effects_json(battles)}});
    if (input.data.has_columns({judge_})) {
      EvalResult ignored;
      const double judged = penalty_of(battles_of(input.data, judge_, ignored));
      result.parts.set("judge_penalty", judged);
      result.parts.set("judge_gap", result.score - judged);
    }
    return result;
  }
};

}  // namespace

ATTUNE_PART(
    Eval, refusal_penalty, RefusalPenalty,
    .summary = "how much less often refusals win battles than normal answers, also at equal length and for a judge",
    .formula =
        "100 (win rate of standard - win rate of refusals); logit P(a wins) = sum_k b_k ([a is k] - [b is k]) "
        "+ c (log(1 + len_a) - log(1 + len_b))",
    .paper = "Pasch 2025, LLM content moderation and user satisfaction, arXiv 2501.03266");

}  // namespace attune::evals
