// Ratings as people differ about them: the distribution of an answer's ratings over the levels of a scale.
#include <cmath>
#include <numeric>

#include "attune/base/errors.h"
#include "attune/objectives/reward.h"

namespace attune::objectives {

class RatingDistribution final : public RewardObjective {
  std::string attribute_ = "helpfulness";

 public:
  RatingDistribution() : RewardObjective("ratings") {}

  void describe(Fields& fields) {
    describe_head(fields);
    fields("attribute", attribute_, "whose ratings are learnt");
  }

  void check() const override {
    RewardObjective::check();
    require_head([](const RewardHead& head, const Tensor& a, const Tensor&) { return head.log_ratings(a); },
                 "distribution over ratings");
  }

  Needs needs() const override {
    Needs needs = RewardObjective::needs();
    for (const double level : head_->levels()) needs.labels.push_back({.attribute = attribute_, .level = level});
    return needs;
  }
  std::string data() const override { return "answers with ratings of '" + attribute_ + "'"; }

  void layout(const RecordView& record, Layout& layout) const override {
    for (std::size_t i = 0; i < record.labels.size(); ++i) {
      const auto& shares = record.labels[i].columns;
      if (shares.empty() || std::isnan(shares.front())) continue;
      if (std::accumulate(shares.begin(), shares.end(), 0.0) < 1 - 1e-9) {
        throw DataError({.field = attribute_}, "a rating outside the head's scale",
                        format_double(head_->levels().front()) + " to " + format_double(head_->levels().back()),
                        "set head.ratings.low and head.ratings.high");
      }
      add_end(record, static_cast<std::int32_t>(i), layout);
    }
  }

  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const Tensor kl = kl_to_shares(responses.labels, head_->log_ratings(responses.outputs));
    Loss loss;
    loss.terms.push_back({.name = "ratings_kl", .sum = (responses.weights * kl).sum(), .per = Per::response});
    const at::NoGradGuard no_gradient;
    add_reward_metrics(loss.metrics, head_->score(responses.outputs));
    loss.metrics.add("spread", head_->spread(responses.outputs).sum(), static_cast<double>(responses.size()));
    return loss;
  }
};

ATTUNE_PART(Objective, reward_ratings, RatingDistribution,
            .summary = "a reward model of how people's ratings of an answer are distributed",
            .formula = "KL(shares of the ratings || softmax f(x, y))",
            .paper =
                "Zhang et al. 2024, Diverging Preferences: When do Annotators Disagree and do Models Know?, "
                "arXiv:2410.14632, section 4 (classification, KL)");

}  // namespace attune::objectives
