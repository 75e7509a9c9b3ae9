// The gradient field of a preference loss: how hard it pulls the chosen answer up and the rejected one down, wherever
// the two likelihood ratios stand.
#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/diagnostics/diagnostic.h"
#include "attune/diagnostics/pairs.h"
#include "attune/diagnostics/partials.h"

namespace attune::diagnostics {
namespace {

// x1 = pi(chosen) / ref(chosen), x2 = pi(rejected) / ref(rejected).
struct FieldPoint {
  double log_x1 = 0, log_x2 = 0;
  PairPartials partials = {};
  double by_x1() const { return partials.partial.chosen * std::exp(-log_x1); }  // dL/dx = dL/dlog x / x
  double by_x2() const { return partials.partial.rejected * std::exp(-log_x2); }
};

}  // namespace

class DpoFieldAnalysis final : public Diagnostic {
  Choice<Objective> objective_ = objective_named("dpo");
  double reach_ = 4;
  int points_ = 9;
  double reference_logp_ = -30;
  int length_ = 20;

 public:
  void describe(Fields& fields) {
    fields("objective", objective_, "whose field is drawn");
    fields("reach", reach_, "the grid spans log-ratios from -reach to reach nats, more where the data does").above(0);
    fields("points", points_, "of the grid along each side").within(2, 60);
    fields("reference_logp", reference_logp_, "log-probability of both answers under the reference, on the grid");
    fields("length", length_, "tokens of both answers, on the grid").above(0);
  }

  Demands demands() const override { return {.least_models = 0, .most_models = 1, .least_data = 0, .most_data = 1}; }

  ReportPage run(const Subject& subject) const override {
    ReportPage page{.title = "Gradient field of " + std::string(objective_.name())};
    page.json = Json::object({{"name", "dpo-field-analysis"}, {"objective", objective_.name()}});
    Plot plot{.title = "Where a step takes log x1 (across, chosen) and log x2 (up, rejected); x = pi / ref",
              .x_label = "log x1",
              .diagonal = true};
    double reach = reach_;
    if (!subject.models.empty() || !subject.data.empty()) reach = std::max(reach, add_data(subject, page, plot));
    const std::vector<FieldPoint> grid = field(reach);
    page.json.set("reach", reach);
    plot.arrows = arrows(grid, reach);
    add_field(grid, page);
    page.plots.push_back(std::move(plot));
    return page;
  }

 private:
  std::vector<FieldPoint> field(double reach) const {
    std::vector<FieldPoint> grid;
    std::vector<PairPoint> points;
    const double step = 2 * reach / (points_ - 1);
    for (int i = 0; i < points_; ++i) {
      for (int j = 0; j < points_; ++j) {
        grid.push_back({.log_x1 = -reach + step * i, .log_x2 = -reach + step * j});
        points.push_back({.policy = {reference_logp_ + grid.back().log_x1, reference_logp_ + grid.back().log_x2},
                          .reference = {reference_logp_, reference_logp_},
                          .lengths = {static_cast<double>(length_), static_cast<double>(length_)}});
      }
    }
    const auto partials = pair_partials(objective_, points);
    for (std::size_t i = 0; i < grid.size(); ++i) grid[i].partials = partials[i];
    return grid;
  }

  // Descent directions, the longest as long as the grid is wide between two points.
  std::vector<Arrow> arrows(const std::vector<FieldPoint>& grid, double reach) const {
    double longest = 0;
    for (const FieldPoint& point : grid) {
      longest = std::max(longest, std::hypot(point.partials.partial.chosen, point.partials.partial.rejected));
    }
    const double scale = longest > 0 ? 2 * reach / (points_ - 1) / longest : 0;
    std::vector<Arrow> result;
    for (const FieldPoint& point : grid) {
      result.push_back({point.log_x1, point.log_x2, -scale * point.partials.partial.chosen,
                        -scale * point.partials.partial.rejected});
    }
    return result;
  }

  void add_field(const std::vector<FieldPoint>& grid, ReportPage& page) const {
    Json rows = Json::array();
    Share pushes_more;  // of the points where the model prefers the chosen answer
    for (const FieldPoint& point : grid) {
      rows.push_back(Json::object({{"log_x1", point.log_x1},
                                   {"log_x2", point.log_x2},
                                   {"loss", point.partials.loss},
                                   {"d_log_x1", point.partials.partial.chosen},
                                   {"d_log_x2", point.partials.partial.rejected},
                                   {"d_x1", point.by_x1()},
                                   {"d_x2", point.by_x2()}}));
      if (point.log_x1 > point.log_x2) pushes_more.add(std::abs(point.by_x2()) > std::abs(point.by_x1()));
    }
    page.json.set("pushes_down_more_where_preferred", share_json(pushes_more));
    page.json.set("grid", std::move(rows));
    page.lines.push_back(
        "Where the chosen answer has gained more than the rejected one, the loss pushes the rejected "
        "one's probability down harder than it pulls the chosen one's up in " +
        percent(pushes_more.value()) + " of the grid (DPO: everywhere, by the factor x1 / x2).");
  }

  // Where the pairs of a data set stand in the field; how far the grid has to reach for nearly all of them.
  double add_data(const Subject& subject, ReportPage& page, Plot& plot) const {
    if (subject.models.empty() || subject.data.empty() || !subject.reference) {
      throw ConfigError({}, "only some of a model, its reference and data", "all three, or none of them for the grid");
    }
    const auto& records = subject.data.front().records;
    const auto pairs = compared_pairs(records);
    const auto logps = [&](const ModelSource& source) {
      LanguageModel model = source.load();
      return pair_logps(model, records, pairs, subject.batch_tokens);
    };
    const auto policy = logps(subject.models.front()), reference = logps(*subject.reference);
    Series dots{.label = "pairs", .mark = Series::Mark::dots};
    Share preferred;
    std::vector<double> distances;
    double log_ratio = 0;
    Json rows = Json::array();
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const double x1 = policy[i].chosen - reference[i].chosen, x2 = policy[i].rejected - reference[i].rejected;
      dots.points.emplace_back(x1, x2);
      distances.push_back(std::max(std::abs(x1), std::abs(x2)));
      preferred.add(x1 > x2);
      log_ratio += (x2 - x1) / static_cast<double>(pairs.size());
      Json row = pair_json(records, pairs[i]);
      row.set("log_x1", x1);
      row.set("log_x2", x2);
      rows.push_back(std::move(row));
    }
    plot.series.push_back(std::move(dots));
    page.json.set("pairs", pairs.size());
    page.json.set("chosen_gained_more", share_json(preferred));
    page.json.set("mean_log_ratio", log_ratio);  // of x2 / x1
    page.json.set("by_pair", std::move(rows));
    page.lines.push_back("In " + percent(preferred.value()) + " of " + std::to_string(pairs.size()) +
                         " pairs the chosen answer has gained more; x2 / x1 is " + short_number(std::exp(log_ratio)) +
                         " (geometric mean).");
    std::sort(distances.begin(), distances.end());
    return distances[(distances.size() - 1) * 95 / 100];
  }
};

ATTUNE_PART(Diagnostic, dpo_field_analysis, DpoFieldAnalysis,
            .summary = "the gradient field of a preference loss over both likelihood ratios, and where the data stands",
            .formula =
                "x1 = pi(c)/ref(c), x2 = pi(r)/ref(r); DPO: dL/dx1 = -b x2^b / (x1 (x1^b + x2^b)), "
                "dL/dx2 = b x2^(b-1) / (x1^b + x2^b), so |dL/dx1| / |dL/dx2| = x2 / x1",
            .paper = "Feng et al. 2024, Towards Analyzing and Understanding the Limitations of DPO, arXiv:2404.04626");

}  // namespace attune::diagnostics
