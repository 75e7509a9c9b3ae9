#include "attune/migrate/trl_objective.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/json.h"

namespace attune {
namespace {

const TrlLoss& loss_of(const TrlValues& values, const std::string& name) {
  const char letter = values.command().letter;
  std::vector<std::string_view> names;
  for (const TrlLoss& loss : trl_losses()) {
    if (loss.trainer == letter && loss.name == name) return loss;
    if (loss.trainer == letter) names.push_back(loss.name);
  }
  std::string expected = nearest(name, names);
  if (expected.empty()) {
    for (const auto loss : names) expected += (expected.empty() ? "" : ", ") + std::string(loss);
  }
  throw ConfigError(values.where("loss_type"), "the unknown loss '" + name + "'", expected);
}

class Term {
 public:
  Term(const TrlValues& values, const TrlLoss& loss) : values_(&values), loss_(&loss), name_(loss.objective) {}

  const std::string& name() const { return name_; }
  void rename(std::string name) { name_ = std::move(name); }
  bool reads(std::string_view option) const {
    const std::string words = " " + std::string(loss_->options) + " ";
    return words.find(" " + std::string(option) + " ") != std::string::npos;
  }
  void add(const std::string& key, const std::string& value) {
    options_ += (options_.empty() ? "" : ", ") + key + ": " + value;
  }
  void copy(std::string_view argument, const std::string& key) {
    if (reads(argument)) add(key, values_->number_text(argument));
  }
  std::string str() const { return options_.empty() ? name_ : "{" + name_ + ": {" + options_ + "}}"; }
  const TrlLoss& loss() const { return *loss_; }
  [[noreturn]] void refuse(std::string_view argument) const {
    throw ConfigError(values_->where(argument), std::string(argument) + " with the loss " + std::string(loss_->name),
                      "a loss that reads it");
  }

 private:
  const TrlValues* values_;
  const TrlLoss* loss_;
  std::string name_;
  std::string options_;
};

// The options of DPO's losses. What a loss cannot honour is refused, as it would train something else.
void add_pair_options(const TrlValues& values, Term& term) {
  const bool likelihood = term.name() == "sft";
  term.copy("beta", "beta");
  term.copy("label_smoothing", "label_smoothing");
  if (term.name() == "exo" && values.number("label_smoothing") <= 0) {
    throw ConfigError(values.where("label_smoothing"), "exo_pair without label_smoothing", "above 0: 0.001, say");
  }
  if (values.given("ld_alpha") && values.number("ld_alpha") != 1) {
    if (!term.reads("ld_alpha") && !likelihood) term.refuse("ld_alpha");
    term.copy("ld_alpha", "ld_alpha");
  }
  if (values.truth("use_weighting")) {
    if (!term.reads("use_weighting")) term.refuse("use_weighting");
    term.add("weighting", "wpo");
  }
  if (const std::string divergence = values.text("f_divergence_type"); divergence != "reverse_kl") {
    constexpr std::string_view known[] = {"forward_kl", "js_divergence", "alpha_divergence"};
    if (std::find(std::begin(known), std::end(known), divergence) == std::end(known)) {
      throw ConfigError(values.where("f_divergence_type"), "an unknown divergence",
                        "reverse_kl, forward_kl, js_divergence or alpha_divergence");
    }
    if (!term.reads("f_divergence_type") && !likelihood) term.refuse("f_divergence_type");
    if (!likelihood) term.add("divergence", divergence);
    if (!likelihood && divergence == "alpha_divergence") {
      term.add("divergence_alpha", values.number_text("f_alpha_divergence_coef"));
    }
  }
  term.copy("discopop_tau", "tau");
}

void add_reference_free_options(const TrlValues& values, Term& term) {
  const double shape = values.number("alpha");
  const bool averaged = term.name() != "cpo";
  if (shape != 0 && !averaged) term.refuse("alpha");
  if (averaged) term.rename(shape != 0 ? "alphapo" : "simpo");
  if (shape != 0) term.add("alpha", values.number_text("alpha"));
  term.copy("beta", "beta");
  term.copy("simpo_gamma", "gamma");
  if (averaged) {
    term.add("sft_weight", term.reads("cpo_alpha") ? values.number_text("cpo_alpha") : "0");
  } else {
    term.copy("cpo_alpha", "sft_weight");
    term.add("link", std::string(term.loss().name));
  }
  term.copy("label_smoothing", "label_smoothing");
}

std::vector<Term> terms_of(const TrlValues& values) {
  std::vector<Term> terms;
  std::vector<std::string> names = values.knows("loss_type") ? values.list("loss_type") : std::vector<std::string>{""};
  if (names.empty()) names.push_back(std::string(find_trl_key("loss_type", values.command().letter)->fallback));
  if (names.size() > 1 && values.command().letter != 'd') {
    throw ConfigError(values.where("loss_type"), "several losses", "one: only TRL's dpo adds them up");
  }
  for (const std::string& name : names) {
    Term term(values, loss_of(values, name));
    switch (values.command().letter) {
      case 'd':
        add_pair_options(values, term);
        break;
      case 'k':
        term.copy("beta", "beta");
        term.copy("desirable_weight", "desirable_weight");
        term.copy("undesirable_weight", "undesirable_weight");
        break;
      case 'c':
        add_reference_free_options(values, term);
        break;
      case 'o':
        term.copy("beta", "beta");
        term.add("nll_scope", "full");
        break;
      default:
        break;
    }
    terms.push_back(std::move(term));
  }
  return terms;
}

// Factors of the terms, and the likelihood term that older versions had as an option.
void add_weights(const TrlValues& values, std::vector<Term>& terms) {
  const bool weighted = values.knows("loss_weights") && values.given("loss_weights");
  const auto weights = weighted ? values.list("loss_weights") : std::vector<std::string>();
  if (weighted && weights.size() != terms.size()) {
    throw ConfigError(values.where("loss_weights"), std::to_string(weights.size()) + " weights",
                      "one for each of the " + std::to_string(terms.size()) + " losses");
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const ConfigNode& node = *values.node("loss_weights");
    terms[i].add("weight", format_double(trl_number(node.items.empty() ? node : node.items[i], "loss_weights")));
  }
  if (values.command().letter == 'd' && values.given("rpo_alpha")) {
    Term likelihood(values, loss_of(values, "sft"));
    likelihood.add("weight", values.number_text("rpo_alpha"));
    terms.push_back(std::move(likelihood));
  }
}

}  // namespace

TrlObjective trl_objective(const TrlValues& values) {
  std::vector<Term> terms = terms_of(values);
  add_weights(values, terms);
  TrlObjective objective{.first = terms.front().name(), .value = terms.front().str()};
  if (terms.size() > 1) {
    objective.value = "[";
    for (const Term& term : terms) objective.value += (&term == &terms.front() ? "" : ", ") + term.str();
    objective.value += "]";
  }
  return objective;
}

}  // namespace attune
