// Arena-Hard: a judge's verdicts on models against one baseline in both orders, as they are and at equal style.
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "attune/base/random.h"
#include "attune/evals/eval.h"
#include "attune/statistics/answers.h"
#include "attune/stats/bradley_terry.h"
#include "attune/stats/minimise.h"

namespace attune::evals {
namespace {

constexpr std::array features = {"length", "headers", "lists", "bold"};
using Style = std::array<double, features.size()>;  // tokens; the others a token

struct Game {
  std::int32_t model = 0;  // 0 is the baseline
  double won = 0, weight = 1;
  std::size_t question = 0;  // what is drawn again
  std::optional<Style> difference = {};
};

// What the model won in a verdict on A, the one shown first, and how often a verdict counts: clear ones three times.
std::optional<std::pair<double, double>> verdict_of(const std::string& label, bool model_first) {
  double first = 0;
  if (label == "A>>B" || label == "A>B") {
    first = 1;
  } else if (label == "A=B" || label == "B=A") {
    first = 0.5;
  } else if (label != "B>A" && label != "B>>A" && label != "A<B" && label != "A<<B") {
    return std::nullopt;
  }
  return std::pair(model_first ? first : 1 - first,
                   label.find(">>") != label.npos || label.find("<<") != label.npos ? 3.0 : 1.0);
}

double total(const Json* counts) {
  if (counts == nullptr || counts->is_null()) return 0;
  if (counts->is_number()) return counts->number();
  double sum = 0;
  for (const auto& [name, count] : counts->members()) sum += number_of(count).value_or(0);
  return sum;
}

// Answers' styles by model and question, from files with `metadata`.
using Styles = std::map<std::pair<std::string, std::string>, Style>;
void read_styles(const std::string& file, Styles& styles) {
  if (file.empty()) return;
  for (const Evidence rows{file}; const EvidenceRow& row : rows.rows()) {
    const Json* metadata = row.value.find("metadata");
    const Json& counts = metadata == nullptr ? cell_of(row, "conv_metadata") : *metadata;
    if (!counts.is_object())
      refuse_cell(row, "metadata", std::string(counts.type_name()), "counts of tokens, headers, lists, bold");
    const double tokens = total(counts.find("token_len"));
    const auto density = [&](const char* key) { return total(counts.find(key)) / (tokens + 1); };
    const std::string question = text_in(row, row.value.find("uid") != nullptr ? "uid" : "question_id");
    styles[{text_in(row, "model"), question}] = {tokens, density("header_count"), density("list_count"),
                                                 density("bold_count")};
  }
}

Style difference_of(const Style& model, const Style& baseline) {
  Style result = {};
  for (std::size_t f = 0; f < features.size(); ++f) {
    const double sum = model[f] + baseline[f] + (f == 0 ? 0 : 1);
    result[f] = sum > 0 ? (model[f] - baseline[f]) / sum : 0;
  }
  return result;
}

class ArenaHard final : public Eval {
  std::string model_ = "";
  double prior_ = 0;
  int resamples_ = 100, seed_ = 0;
  double level_ = 0.9;

  struct Games {
    std::vector<Game> games = {};
    Names models = {};
    std::vector<std::vector<std::size_t>> of_question = {};  // model by model and question: its games
    bool styled = false;
  };

  void add_row(const EvidenceRow& row, const Styles& styles, Games& result, EvalResult& page) const {
    const std::string model = text_in(row, "model");
    if (!model_.empty() && model != model_) return;
    const std::string question = text_in(row, row.value.find("uid") != nullptr ? "uid" : "question_id");
    const std::string baseline = row.value.find("baseline") != nullptr ? text_in(row, "baseline") : "baseline";
    const std::int32_t own = result.models.add(model);
    const Json& games = cell_of(row, "games");
    if (!games.is_array()) refuse_cell(row, "games", std::string(games.type_name()), "a list of both orders");
    const auto mine = styles.find({model, question}), theirs = styles.find({baseline, question});
    result.of_question.emplace_back();
    for (std::size_t g = 0; g < games.size(); ++g) {
      const Json* label = games.items()[g].find("score");
      const auto verdict = label == nullptr || !label->is_string() ? std::nullopt : verdict_of(label->string(), g == 1);
      if (!verdict) {
        page.leave_out("games without a verdict", model + " / " + question);
        continue;
      }
      Game game{
          .model = own, .won = verdict->first, .weight = verdict->second, .question = result.of_question.size() - 1};
      if (mine != styles.end() && theirs != styles.end()) {
        game.difference = difference_of(mine->second, theirs->second);
      } else if (result.styled) {
        page.leave_out("games without both answers' style (left out of style control)", model + " / " + question);
      }
      result.of_question.back().push_back(result.games.size());
      result.games.push_back(game);
    }
  }

  Games read_games(const EvalInput& input, EvalResult& page) const {
    Styles styles;
    read_styles(input.outputs, styles);
    read_styles(input.baseline, styles);
    Games result{.styled = !styles.empty()};
    result.models.add("\nbaseline");
    for (const EvidenceRow& row : input.data.rows()) add_row(row, styles, result, page);
    if (result.games.empty()) input.data.refuse("no game with a verdict", "at least one");
    return result;
  }

  // Percent won by model; NaN where it played none.
  static std::vector<double> win_rates(const Games& games, const std::vector<std::size_t>& questions) {
    std::vector<double> won(static_cast<std::size_t>(games.models.size()), 0), weight = won;
    for (const std::size_t question : questions) {
      for (const std::size_t g : games.of_question[question]) {
        const Game& game = games.games[g];
        won[static_cast<std::size_t>(game.model)] += 100 * game.won * game.weight;
        weight[static_cast<std::size_t>(game.model)] += game.weight;
      }
    }
    for (std::size_t m = 0; m < won.size(); ++m) won[m] = weight[m] > 0 ? won[m] / weight[m] : NAN;
    return won;
  }

  // The same from a logistic regression on models and standardised differences in style, at no difference.
  Json style_controlled(const Games& games, EvalResult& page) const {
    std::vector<Match> matches;
    std::vector<double> rows;
    for (const Game& game : games.games) {
      if (!game.difference) continue;
      matches.push_back({.a = game.model, .b = 0, .score = game.won, .weight = game.weight});
      rows.insert(rows.end(), game.difference->begin(), game.difference->end());
    }
    if (matches.empty()) return {};
    standardise(rows);
    const BradleyTerry fit = fit_bradley_terry(
        matches, games.models.size(), {.prior = prior_, .features = features.size(), .feature_l2 = 1e-6}, rows);
    if (!fit.converged) {
      page.lines.push_back(
          "The style-controlled fit did not converge (a model that always won or lost?): set prior=1.");
      return {};
    }
    Json rates = Json::object(), weights = Json::object();
    for (std::int32_t m = 1; m < games.models.size(); ++m) {
      const double d = fit.strengths[static_cast<std::size_t>(m)] - fit.strengths[0];
      rates.set(games.models[m], 100 * sigmoid_of(d));
    }
    for (std::size_t f = 0; f < features.size(); ++f) weights.set(features[f], fit.feature_weights[f]);
    return Json::object({{"win_rates", std::move(rates)}, {"style_weights", std::move(weights)}});
  }

  static void standardise(std::vector<double>& rows) {
    const std::size_t width = features.size(), count = rows.size() / width;
    for (std::size_t f = 0; f < width; ++f) {
      double mean = 0, squares = 0;
      for (std::size_t i = 0; i < count; ++i) mean += rows[i * width + f] / static_cast<double>(count);
      for (std::size_t i = 0; i < count; ++i) squares += std::pow(rows[i * width + f] - mean, 2);
      const double deviation = std::sqrt(squares / static_cast<double>(count));
      for (std::size_t i = 0; i < count; ++i) {
        double& cell = rows[i * width + f];
        cell = deviation > 0 ? cell / deviation : 0;  // not centred: no difference stays 0
      }
    }
  }

 public:
  void describe(Fields& fields) {
    fields("model", model_, "the only model to score; empty: all");
    fields("prior", prior_, "half-won games of each model in the style-controlled fit").at_least(0);
    fields("resamples", resamples_, "of the bootstrap over questions; 0: no interval").at_least(0);
    fields("level", level_, "of the interval: 5 % to 95 %").between(0, 1);
    fields("seed", seed_, "of what the bootstrap draws").at_least(0);
  }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "Arena-Hard (%)"};
    const Games games = read_games(input, result);
    std::vector<std::size_t> all(games.of_question.size());
    for (std::size_t q = 0; q < all.size(); ++q) all[q] = q;
    const auto rates = win_rates(games, all);
    std::vector<std::vector<double>> drawn(rates.size());
    for (std::int64_t resample = 0; resample < resamples_; ++resample) {
      Random random(static_cast<std::uint64_t>(seed_), "evals/arena-hard", {resample});
      std::vector<std::size_t> sample;
      for (std::size_t q = 0; q < all.size(); ++q) sample.push_back(random.below(all.size()));
      const auto own = win_rates(games, sample);
      for (std::size_t m = 0; m < own.size(); ++m) {
        if (!std::isnan(own[m])) drawn[m].push_back(own[m]);
      }
    }
    Json models = Json::object();
    for (std::size_t m = 1; m < rates.size(); ++m) {
      if (std::isnan(rates[m])) continue;
      const Interval interval = percentiles(drawn[m], level_);
      models.set(games.models[static_cast<std::int32_t>(m)],
                 Json::object({{"win_rate", rates[m]}, {"interval", interval_json(interval)}}));
      result.score += rates[m] / static_cast<double>(rates.size() - 1);
      if (rates.size() == 2) result.interval = interval;
    }
    if (rates.size() > 2) result.lines.push_back("The score is the mean over the models.");
    result.n = games.games.size();
    result.parts = Json::object({{"models", std::move(models)}});
    if (games.styled) result.parts.set("style_controlled", style_controlled(games, result));
    return result;
  }
};

}  // namespace

ATTUNE_PART(Eval, arena_hard, ArenaHard,
            .summary = "Arena-Hard: percent won against a baseline in both orders, also at equal style",
            .formula =
                "A>>B three wins, A>B one, A=B half, the second order exchanged; 100 bootstraps; style: logistic "
                "regression on models and scaled (s_m - s_b) / (s_m + s_b) of tokens, headers, lists, bold",
            .paper = "Li et al. 2024, From crowdsourced data to high-quality benchmarks, arXiv 2406.11939");
}  // namespace attune::evals
