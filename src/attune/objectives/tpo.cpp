// Triple preference optimisation: a pair, and a gold answer to imitate.
#include "attune/objectives/reference_free.h"

namespace attune::objectives {

enum class TpoLink { sigmoid, hinge, ipo, tpo_l };
constexpr auto enum_names(TpoLink) {
  return std::array{
      std::pair{std::string_view("sigmoid"), TpoLink::sigmoid}, std::pair{std::string_view("hinge"), TpoLink::hinge},
      std::pair{std::string_view("ipo"), TpoLink::ipo}, std::pair{std::string_view("tpo-l"), TpoLink::tpo_l}};
}

class Tpo final : public ReferenceFreePair {
  TpoLink link_ = TpoLink::sigmoid;
  double gamma_ = 0.5;

 public:
  Tpo() : ReferenceFreePair(0.01, Length::sum, 1) {}

  void describe(Fields& fields) {
    describe_free(fields);
    fields("link", link_, "ipo and tpo-l average log-probabilities per token; tpo-l adds the margin gamma");
    fields("gamma", gamma_, "margin of tpo-l").at_least(0);
  }

  Needs needs() const override { return {.reference_answers = sft_weight_ > 0}; }
  std::string data() const override {
    return sft_weight_ > 0 ? "comparisons beside a gold answer (TRL's column `reference`)" : PairObjective::data();
  }

  void layout(const RecordView& record, Layout& layout) const override {
    if (sft_weight_ > 0) {
      if (record.reference_answer < 0 || record.preferences.empty()) return;
      layout.add(record, record.reference_answer, ResponseRole::reference_answer);
    }
    PairObjective::layout(record, layout);
  }

  // Saeidi et al. 2024: the pair's loss on log pi, plus the NLL of the gold answer a token.
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Link link = link_ == TpoLink::hinge ? Link::hinge : link_ == TpoLink::ipo ? Link::ipo : Link::sigmoid;
    const double offset = link_ == TpoLink::tpo_l ? gamma_ / beta() : 0;
    return loss_above("tpo", responses, scores(responses), link, offset, ResponseRole::reference_answer);
  }

 private:
  Length length() const override {
    return link_ == TpoLink::ipo || link_ == TpoLink::tpo_l ? Length::mean : Length::sum;
  }
};

ATTUNE_PART(Objective, tpo, Tpo, .summary = "separates a pair without a reference while imitating a third, gold answer",
            .formula = "-log sigmoid(beta (log pi(c) - log pi(r))) + sft_weight NLL(gold), NLL a token",
            .paper = "Saeidi et al. 2024, Triple Preference Optimization, arXiv:2405.16681");

}  // namespace attune::objectives
