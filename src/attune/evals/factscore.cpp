// FActScore: the share of a text's atomic facts that sources support.
#include <cmath>

#include "attune/evals/eval.h"
#include "attune/statistics/answers.h"

namespace attune::evals {
namespace {

struct Facts {
  double supported = 0, all = 0, irrelevant = 0;
};

class FactScore final : public Eval {
  double gamma_ = 0;
  IntervalOptions interval_;

  // The labels S (supported), NS (not supported) and IR (irrelevant) of human-labelled sentences; nothing where the
  // model abstained.
  static std::optional<Facts> facts_of(const EvidenceRow& row) {
    const Json& annotations = cell_of(row, "annotations");
    if (annotations.is_null()) return std::nullopt;
    if (!annotations.is_array())
      refuse_cell(row, "annotations", std::string(annotations.type_name()), "a list or null");
    Facts facts;
    for (const Json& sentence : annotations.items()) {
      const Json* list = sentence.find("human-atomic-facts");
      if (list == nullptr || list->is_null()) continue;
      if (!list->is_array()) refuse_cell(row, "human-atomic-facts", std::string(list->type_name()), "a list or null");
      for (const Json& fact : list->items()) {
        const Json* label = fact.find("label");
        const std::string word = label == nullptr ? "" : text_of(*label);
        if (word != "S" && word != "NS" && word != "IR") {
          refuse_cell(row, "human-atomic-facts", "an unknown label of a fact", "S, NS or IR");
        }
        facts.all += 1;
        facts.supported += word == "S" ? 1 : 0;
        facts.irrelevant += word == "IR" ? 1 : 0;
      }
    }
    return facts;
  }

 public:
  void describe(Fields& fields) {
    fields("gamma", gamma_, "texts with fewer facts are worth less: exp(1 - gamma / facts); 0: no such penalty")
        .at_least(0);
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "FActScore (%)"};
    std::vector<double> scores, relevant;
    std::int64_t responses = 0, abstained = 0;
    double facts = 0;
    for (const EvidenceRow& row : input.data.rows()) {
      ++responses;
      const auto own = facts_of(row);
      if (!own) {
        ++abstained;
        result.leave_out("responses that abstained", std::to_string(row.line));
      } else if (own->all == 0) {
        result.leave_out("responses without a labelled fact", std::to_string(row.line));
      } else {
        const double penalty = gamma_ > own->all ? std::exp(1 - gamma_ / own->all) : 1;
        scores.push_back(100 * penalty * own->supported / own->all);
        if (own->all > own->irrelevant)
          relevant.push_back(100 * penalty * own->supported / (own->all - own->irrelevant));
        facts += own->all;
      }
    }
    if (scores.empty()) input.data.refuse("no response with labelled facts", "at least one");
    result.score = plain_mean(scores);
    result.n = scores.size();
    result.interval = interval_.of_mean(scores).interval;
    result.parts = Json::object({{"responses", responses},
                                 {"abstained", abstained},
                                 {"responses_scored", scores.size()},
                                 {"facts_a_response", facts / static_cast<double>(scores.size())},
                                 {"irrelevant_dropped", plain_mean(relevant)}});
    return result;
  }
};

}  // namespace

ATTUNE_PART(
    Eval, factscore, FactScore,
    .summary = "FActScore: the share of a text's atomic facts that are supported, from labels",
    .formula = "mean over responses that answer of #{supported} / #{facts}; irrelevant facts count as unsupported",
    .paper = "Min et al. 2023, FActScore, arXiv 2305.14251");

}  // namespace attune::evals
