#include "attune/statistics/truth_page.h"

#include "attune/statistics/answers.h"

namespace attune {

ReportPage truth_page(const Ratings& ratings, const NumberedVotes& numbered, const FittedTruth& fitted) {
  const auto labels = numbered.labels.size();
  const auto likeliest = likeliest_labels(fitted.beliefs, numbered.votes.labels);
  const auto majority = strict_majorities(numbered.votes);
  Json items = Json::array();
  Share agreement;
  for (std::size_t i = 0; i < likeliest.size(); ++i) {
    Json beliefs = Json::array();
    for (std::size_t k = 0; k < labels; ++k) beliefs.push_back(fitted.beliefs[i * labels + k]);
    items.push_back(Json::object({{"item", ratings.items[i]},
                                  {"label", numbered.labels[static_cast<std::size_t>(likeliest[i])]},
                                  {"beliefs", std::move(beliefs)}}));
    if (majority[i] >= 0) agreement.add(majority[i] == likeliest[i]);
  }
  std::vector<std::int64_t> counts(ratings.annotators.size(), 0);
  for (const Vote& vote : ratings.votes) ++counts[static_cast<std::size_t>(vote.rater)];
  Json annotators = Json::array();
  std::vector<Rated> rated;
  for (std::size_t r = 0; r < counts.size(); ++r) {
    annotators.push_back(
        Json::object({{"annotator", ratings.annotators[r]}, {fitted.skill, fitted.skills[r]}, {"ratings", counts[r]}}));
    rated.push_back({.name = ratings.annotators[r], .value = fitted.skills[r]});
  }
  Json names = Json::array();
  for (const std::string& label : numbered.labels) names.push_back(label);
  ReportPage page{.title = fitted.title};
  page.json = Json::object({{"name", fitted.name},
                            {"labels", std::move(names)},
                            {"log_likelihood", fitted.log_likelihood},
                            {"converged", fitted.converged},
                            {"majority_agreement", share_json(agreement)},
                            {"annotators", std::move(annotators)},
                            {"items", std::move(items)}});
  page.lines.push_back(fitted.title + ": " + std::to_string(likeliest.size()) + " items, " +
                       std::to_string(counts.size()) + " annotators. It names the majority's label in " +
                       percent(agreement.value()) + " of the items that have a strict one.");
  if (!fitted.converged) page.lines.push_back("The fit had not converged when its steps ended.");
  page.lines.push_back(std::string("Annotators by ") + fitted.skill + ":");
  show_rated(rated, std::string("Annotators by ") + fitted.skill, page);
  return page;
}

}  // namespace attune
