// Density-ratio weights of prompts: BCO's remedy where people pressed thumbs-up and thumbs-down on different prompts.
#include <algorithm>
#include <cmath>
#include <map>

#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/curate/operator.h"
#include "attune/curate/words.h"
#include "attune/data/scores.h"
#include "attune/stats/logistic.h"

namespace attune::curate {

enum class Features { words, column };
constexpr auto enum_names(Features) {
  return std::array{std::pair{std::string_view("words"), Features::words},
                    std::pair{std::string_view("column"), Features::column}};
}

class DensityRatio final : public Operator {
  using Row = std::vector<SparseRows::Entry>;

  Features features_ = Features::words;
  std::string column_ = {};
  double l2_ = 1;
  double min_weight_ = 0.5, max_weight_ = 10;

  LogisticModel model_ = {};
  std::int64_t up_ = 0, down_ = 0, right_ = 0;

 public:
  void describe(Fields& fields) {
    fields("features", features_,
           "of a prompt: the words it is made of, or the numbers of a column (an embedding of the prompt)");
    fields("column", column_, "of the data: a number or a list of numbers a row");
    fields("l2", l2_, "penalty of the classifier's squared weights (TRL: 1)").above(0);
    fields("min_weight", min_weight_, "least weight").at_least(0);
    fields("max_weight", max_weight_, "greatest weight").above(0);
  }

  void check() const override {
    if ((features_ == Features::column) == column_.empty()) {
      throw ConfigError({.field = "column"},
                        column_.empty() ? "no column" : "a column that features=words does not read",
                        "features: column with the column's name, or neither");
    }
    if (min_weight_ > max_weight_) {
      throw ConfigError({.field = "min_weight"}, format_double(min_weight_),
                        "at most max_weight, " + format_double(max_weight_));
    }
  }

  // Jung et al. 2024, section 3.3: a logistic regression f(x) of a prompt being one with a thumb up, one row a thumb.
  // Both kinds weigh the same, as in TRL, so that f / (1 - f) is the ratio of the densities of their prompts.
  void observe(const Dataset& dataset) override {
    SparseRows rows;
    std::vector<std::uint8_t> labels;
    for (std::size_t i = 0; i < dataset.records.size(); ++i) {
      const Record& record = dataset.records[i];
      const CompletionMeans thumbs = thumbs_of(record);
      for (std::size_t k = 0; k < record.completions.size(); ++k) {
        if (!thumbs.has(k) || thumbs.sum(k) == 0) continue;
        rows.add(features_of(record, record.completions[k], static_cast<std::int64_t>(i)));
        labels.push_back(thumbs.sum(k) > 0 ? 1 : 0);
      }
    }
    up_ = std::count(labels.begin(), labels.end(), 1);
    down_ = std::ssize(labels) - up_;
    if (up_ == 0 || down_ == 0) {
      throw DataError({.field = "curate.weight/density-ratio"},
                      std::to_string(up_) + " answers with a thumb up and " + std::to_string(down_) + " with one down",
                      "some of both kinds");
    }
    model_ = fit_logistic(rows, labels, {.l2 = l2_, .balanced = true});
    for (std::size_t i = 0; i < rows.size(); ++i) right_ += (model_.log_odds(rows[i]) > 0) == (labels[i] == 1) ? 1 : 0;
  }

  // w = f / (1 - f) of the prompt, on the thumbs down: they then say what they would say of the other kind's prompts.
  void apply(std::span<Record> records, const Stretch& stretch, Sink& sink) const override {
    for (std::size_t i = 0; i < records.size(); ++i) {
      Record& record = records[i];
      for (Feedback& feedback : record.feedback) {
        const auto* rating = std::get_if<Rating>(&feedback.what);
        if (rating == nullptr || rating->attribute != thumb_attribute || !on_whole_completion(feedback)) continue;
        if (rating->value > 0) continue;
        const Completion& answer = record.completions[static_cast<std::size_t>(feedback.on.completion)];
        const double ratio =
            std::exp(model_.log_odds(features_of(record, answer, stretch.first + static_cast<std::int64_t>(i))));
        feedback.weight *= std::clamp(ratio, min_weight_, max_weight_);
        sink.count("weighted");
        if (ratio < min_weight_) sink.count("raised to min_weight");
        if (ratio > max_weight_) sink.count("lowered to max_weight");
      }
      sink.keep(std::move(record));
    }
  }

  Json findings() const override {
    return Json::object({{"up", up_},
                         {"down", down_},
                         {"accuracy", static_cast<double>(right_) / static_cast<double>(up_ + down_)},
                         {"iterations", model_.iterations},
                         {"converged", model_.converged}});
  }

 private:
  Row features_of(const Record& record, const Completion& completion, std::int64_t place) const {
    return features_ == Features::words ? word_features(prompt_text(record, completion))
                                        : column_features(record, place);
  }

  // Hashed words, log(1 + how often) each, scaled to length 1, so that long prompts do not count more.
  static Row word_features(const std::string& prompt) {
    constexpr std::uint64_t columns = 1U << 18U;
    std::map<std::uint32_t, double> counts;
    for (const std::string& word : words_in(prompt)) counts[static_cast<std::uint32_t>(hash64(word) % columns)] += 1;
    double squares = 0;
    for (auto& [column, count] : counts) {
      count = std::log1p(count);
      squares += count * count;
    }
    Row row(counts.begin(), counts.end());
    for (auto& [column, value] : row) value /= std::sqrt(squares);
    return row;
  }

  Row column_features(const Record& record, std::int64_t place) const {
    const auto refuse = [&](const char* found) -> DataError {
      return DataError({.record = record.id.empty() ? std::to_string(place) : record.id, .field = column_}, found,
                       "a number or a list of numbers");
    };
    const Json extra = record.extra_json.empty() ? Json::object() : Json::parse(record.extra_json);
    const Json* value = extra.find(column_);
    if (value == nullptr) throw refuse("no such column");
    std::vector<Json> numbers = value->is_array() ? value->items() : std::vector<Json>{*value};
    Row row;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (!numbers[i].is_number()) throw refuse("something else than numbers");
      row.emplace_back(static_cast<std::uint32_t>(i), numbers[i].number());
    }
    return row;
  }
};

ATTUNE_PART(Operator, weight_density_ratio, DensityRatio,
            .summary = "weighs thumbs down by how much likelier their prompt is among the thumbs up, for bco",
            .formula = "w(x) = clamp(f(x) / (1 - f(x))), f a logistic regression of thumbs up on the prompt's features",
            .paper =
                "Jung et al. 2024, Binary Classifier Optimization for Large Language Model Alignment, "
                "arXiv:2404.04656");

}  // namespace attune::curate
