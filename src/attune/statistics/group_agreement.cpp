// Whether people of one group agree more with each other than with the rest.
#include "attune/base/random.h"
#include "attune/statistics/answers.h"
#include "attune/statistics/ratings.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/label_distributions.h"

namespace attune::statistics {
namespace {

class GroupAgreementPart final : public Statistic {
  RatingsOptions ratings_;
  int permutations_ = 200, seed_ = 0, least_raters_ = 2;

 public:
  GroupAgreementPart() { ratings_.trait = "group"; }

  void describe(Fields& fields) {
    ratings_.describe(fields);
    fields("permutations", permutations_, "of who is in a group, for the p-value; 0: none").at_least(0);
    fields("least_raters", least_raters_, "smaller groups are left out").at_least(2);
    fields("seed", seed_, "of the permutations").at_least(0);
  }

  ReportPage run(const Evidence& evidence) const override {
    if (ratings_.trait.empty()) evidence.refuse("no trait", "the column or trait that names annotators' groups");
    const Ratings ratings = read_ratings(evidence, ratings_);
    require_agreement_possible(evidence, ratings);
    Names groups;
    for (const std::string& group : ratings.groups) {
      if (!group.empty()) groups.add(group);
    }
    if (groups.size() < 2) {
      evidence.refuse("fewer than two groups of annotators", "at least two values of " + ratings_.trait);
    }
    ReportPage page{.title = "Agreement inside of groups and across"};
    Json rows = Json::array();
    for (const std::string& group : groups.all()) {
      std::vector<bool> member;
      for (const std::string& own : ratings.groups) member.push_back(own == group);
      const GroupAgreement result = group_agreement(ratings.votes, member);
      if (result.raters < least_raters_) continue;
      const Json p = p_value(ratings, member, result.index);
      rows.push_back(Json::object({{"group", group},
                                   {"raters", result.raters},
                                   {"ratings", result.ratings},
                                   {"inside", result.inside},
                                   {"across", result.across},
                                   {"gai", result.index},
                                   {"p", p}}));
      page.lines.push_back(group + ": inside " + fixed(result.inside) + ", across " + fixed(result.across) +
                           ", association index " + fixed(result.index) +
                           (p.is_null() ? "" : " (p = " + fixed(p.number(), 3) + ")"));
    }
    if (rows.size() == 0) evidence.refuse("no group of " + std::to_string(least_raters_) + " annotators", "one");
    page.json = Json::object({{"name", "group-agreement"}, {"trait", ratings_.trait}, {"groups", std::move(rows)}});
    return page;
  }

 private:
  // How often groups of the same size, drawn from all annotators, hold together as much.
  Json p_value(const Ratings& ratings, const std::vector<bool>& member, double index) const {
    if (permutations_ == 0 || !(index == index)) return {};
    double as_much = 1, all = 1;
    for (int i = 0; i < permutations_; ++i) {
      Random random(static_cast<std::uint64_t>(seed_), "group", {i});
      const auto order = random.permutation(std::ssize(member));
      std::vector<bool> drawn;
      for (const std::int64_t place : order) drawn.push_back(member[static_cast<std::size_t>(place)]);
      const double other = group_agreement(ratings.votes, drawn).index;
      if (!(other == other)) continue;
      as_much += other >= index ? 1 : 0;
      all += 1;
    }
    return as_much / all;
  }
};

}  // namespace

ATTUNE_PART(Statistic, group_agreement, GroupAgreementPart,
            .summary = "whether annotators of one group agree more with each other than with the others",
            .formula = "GAI = IRR / XRR: Krippendorff's alpha inside over cross-replication reliability with the rest",
            .paper = "Prabhakaran et al. 2023; Wong et al. 2021");

}  // namespace attune::statistics
