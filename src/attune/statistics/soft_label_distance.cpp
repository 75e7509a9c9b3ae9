// How far a model's distributions over labels are from people's.
#include <algorithm>
#include <cmath>

#include "attune/statistics/answers.h"
#include "attune/statistics/statistic.h"
#include "attune/stats/label_distributions.h"

namespace attune::statistics {
namespace {

class SoftLabelDistance final : public Statistic {
  std::string people_ = "people", model_ = "model";
  IntervalOptions interval_;

  // {label: number} or [number, ...], as shares over `labels`, which grow.
  static std::vector<double> read(const EvidenceRow& row, const std::string& column, Names& labels) {
    const Json& cell = cell_of(row, column);
    std::vector<double> numbers(static_cast<std::size_t>(labels.size()), 0);
    const auto put = [&](const std::string& label, const Json& value) {
      const auto number = number_of(value);
      if (!number || !(*number >= 0))
        refuse_cell(row, column, "a share that is no number of at least 0", "counts or shares");
      const auto place = static_cast<std::size_t>(labels.add(label));
      numbers.resize(std::max(numbers.size(), place + 1), 0);
      numbers[place] += *number;
    };
    if (cell.is_object()) {
      for (const auto& [label, value] : cell.members()) put(label, value);
    } else if (cell.is_array()) {
      for (std::size_t i = 0; i < cell.size(); ++i) put(std::to_string(i), cell.items()[i]);
    } else {
      refuse_cell(row, column, std::string(cell.type_name()), "{label: share} or a list of shares");
    }
    auto shares = shares_of(numbers);
    if (shares.empty()) refuse_cell(row, column, "shares that are all 0", "some above it");
    return shares;
  }

 public:
  void describe(Fields& fields) {
    fields("people", people_, "column of what people said: {label: count or share}, or a list");
    fields("model", model_, "column of what the model says, likewise");
    interval_.describe(fields);
  }

  ReportPage run(const Evidence& evidence) const override {
    std::vector<double> shannon, entropy, variation;
    Names labels;
    double same = 0;
    for (const EvidenceRow& row : evidence.rows()) {
      auto people = read(row, people_, labels), model = read(row, model_, labels);
      people.resize(static_cast<std::size_t>(labels.size()), 0);
      model.resize(people.size(), 0);
      shannon.push_back(jensen_shannon_bits(people, model));
      entropy.push_back(cross_entropy_of(people, model));
      variation.push_back(total_variation(people, model));
      same += std::ranges::max_element(people) - people.begin() == std::ranges::max_element(model) - model.begin();
    }
    const auto interval = interval_.of_mean(shannon);
    const auto n = static_cast<double>(shannon.size());
    ReportPage page{.json = estimate_json("soft-label-distance", plain_mean(shannon), interval),
                    .title = "Distance to soft labels"};
    page.json.set("jensen_shannon_bits", plain_mean(shannon));
    page.json.set("cross_entropy_nats", plain_mean(entropy));
    page.json.set("total_variation", plain_mean(variation));
    page.json.set("same_plurality", same / n);
    page.json.set("n", shannon.size());
    page.lines.push_back("Jensen-Shannon divergence " + fixed(plain_mean(shannon)) + " bits" +
                         interval_text(interval.interval) + ", cross-entropy " + fixed(plain_mean(entropy)) +
                         " nats, total variation " + fixed(plain_mean(variation)) + "; the same likeliest label in " +
                         percent(same / n) + " of " + fixed(n, 0) + " rows.");
    return page;
  }
};

}  // namespace

ATTUNE_PART(Statistic, soft_label_distance, SoftLabelDistance,
            .summary = "how far a model's distributions over labels are from people's",
            .formula = "mean JS(p, q) in bits; -sum p log q; sum |p - q| / 2", .paper = "Lin 1991");

}  // namespace attune::statistics
