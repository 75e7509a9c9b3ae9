// DPO on whole rankings, after the Plackett-Luce model.
#include "attune/objectives/listwise.h"

namespace attune::objectives {

class PlackettLuce final : public Objective {
  double beta_ = 0.1;
  bool reference_ = true;
  bool length_normalized_ = false;
  Ties ties_ = Ties::efron;

 public:
  void describe(Fields& fields) {
    fields("beta", beta_, "strength of the pull to the reference, or scale of log-probabilities without one").above(0);
    fields("reference", reference_, "rank by log-ratios to the reference; false: by log-probabilities alone");
    fields("length_normalized", length_normalized_, "per token instead of summed over the answer");
    fields("ties", ties_, "how answers of equal score are drawn: efron (close to all their orders alike) or breslow");
  }

  Needs needs() const override {
    return {.models = reference_ ? std::vector<std::string>{"reference"} : std::vector<std::string>{}};
  }
  std::string data() const override { return lists_data; }

  void layout(const RecordView& record, Layout& layout) const override {
    const auto completions = scored_completions(record);
    if (ranks(record, completions)) lay_out_list(record, completions, layout);
  }

  // Rafailov et al. 2023, eq. 20: -sum_k log(exp(s_k) / sum_{i not better than k} exp(s_i)); two answers give eq. 7.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Lists lists = reference_ ? ranked_lists(responses, "reference") : ranked_lists(responses);
    Tensor scores = beta_ * (reference_ ? lists.logps - lists.reference : lists.logps);
    if (length_normalized_) scores = scores / lists.lengths;
    Loss loss;
    loss.terms.push_back(
        {.name = "plackett-luce", .sum = plackett_luce(lists, scores, ties_).sum(), .per = Per::group});
    add_list_metrics(loss.metrics, lists, scores);
    return loss;
  }
};

ATTUNE_PART(
    Objective, plackett_luce, PlackettLuce,
    .summary = "makes a whole ranking likely: the best answer is drawn first, then the next, and so on",
    .formula = "-sum_k log(exp(s_k) / sum_{i not better than k} exp(s_i)); s = beta (log pi - log ref)   (eq. 20)",
    .paper =
        "Rafailov et al. 2023, Direct Preference Optimization, arXiv:2305.18290, appendix A.3; ties: Efron "
        "1977, Breslow 1974");

}  // namespace attune::objectives
