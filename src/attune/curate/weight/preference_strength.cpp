// How strong a preference is by several reward models' rewards, and what becomes of the doubtful ones.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/curate/operator.h"

namespace attune::curate {
namespace {

using Rewards = std::map<std::pair<std::string, std::int64_t>, double>;  // (record, completion) -> reward

Json parsed(const std::string& row) {
  try {
    return Json::parse(row);
  } catch (const JsonSyntaxError&) {
    return {};
  }
}

// What `attune score` wrote.
Rewards read_rewards(const std::string& path) {
  Rewards rewards;
  const std::string text = read_file(path);
  std::int64_t line = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string row = text.substr(begin, end - begin);
    begin = end + 1;
    ++line;
    if (row.find_first_not_of(" \t\r") == std::string::npos) continue;
    const Json json = parsed(row);
    const auto member = [&](const char* name) { return json.is_object() ? json.find(name) : nullptr; };
    const Json *record = member("record"), *completion = member("completion"), *score = member("score");
    const bool known = record != nullptr && (record->is_string() || record->is_number());
    if (!known || completion == nullptr || !completion->is_number() || score == nullptr || !score->is_number()) {
      throw DataError({.file = path, .line = line}, "a row that is no score",
                      R"({"record": ..., "completion": ..., "score": ...}, as attune score writes it)");
    }
    rewards[{record->is_string() ? record->string() : std::to_string(static_cast<std::int64_t>(record->number())),
             static_cast<std::int64_t>(completion->number())}] = score->number();
  }
  return rewards;
}

}  // namespace

class PreferenceStrength final : public Operator {
  std::vector<std::string> scores_ = {};
  double drop_ = 0, flip_ = 0, smooth_ = 0, smoothing_ = 0.1;

  std::vector<Rewards> models_ = {};
  std::map<std::pair<std::int64_t, std::int32_t>, double> strengths_ = {};  // (place, feedback) -> mean gap
  double dropped_below_ = 0, flipped_below_ = 0, smoothed_below_ = 0;
  std::int64_t below_zero_ = 0;
  double mean_ = 0, spread_ = 0;

 public:
  void describe(Fields& fields) {
    fields("scores", scores_, "files of `attune score`, one a reward model (the paper: ten, trained on shuffled data)");
    fields("drop", drop_, "share of the comparisons, the weakest ones, that is left out").within(0, 1);
    fields("flip", flip_, "share, the weakest that are left, whose labels are turned round").within(0, 1);
    fields("smooth", smooth_, "share, the weakest then, that get a soft label").within(0, 1);
    fields("smoothing", smoothing_, "probability that a soft label leaves to the other answer").within(0, 0.5);
  }

  void check() const override {
    if (scores_.empty()) throw ConfigError({.field = "scores"}, "no files", "at least one, best several");
    if (drop_ + flip_ + smooth_ <= 1) return;
    throw ConfigError({.field = "smooth"}, "shares of " + format_double(drop_ + flip_ + smooth_) + " together",
                      "1 at most");
  }

  // Wang et al. 2024, section 2.1: the mean over the models of r(chosen) - r(rejected), and the bands that it falls in.
  void observe(const Dataset& dataset) override {
    for (const std::string& path : scores_) models_.push_back(read_rewards(path));
    std::vector<double> all;
    double spreads = 0;
    for (std::size_t i = 0; i < dataset.records.size(); ++i) {
      const Record& record = dataset.records[i];
      const std::string address = record.id.empty() ? std::to_string(i) : record.id;
      for (const Pair& pair : pairs(record)) {
        const auto gaps = gaps_of(address, pair);
        const double mean = std::accumulate(gaps.begin(), gaps.end(), 0.0) / static_cast<double>(gaps.size());
        double squares = 0;
        for (const double gap : gaps) squares += (gap - mean) * (gap - mean);
        spreads += std::sqrt(squares / static_cast<double>(gaps.size()));
        strengths_[{static_cast<std::int64_t>(i), pair.feedback}] = mean;
        all.push_back(mean);
      }
    }
    if (all.empty()) throw DataError({.field = "curate.weight/preference-strength"}, "no comparisons", "some");
    std::sort(all.begin(), all.end());
    below_zero_ = std::lower_bound(all.begin(), all.end(), 0.0) - all.begin();
    mean_ = std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
    spread_ = spreads / static_cast<double>(all.size());
    const auto bound = [&](double share) {  // the value that this share of the comparisons lies below
      const auto rank = static_cast<std::size_t>(std::llround(share * static_cast<double>(all.size())));
      return rank < all.size() ? all[rank] : std::nextafter(all.back(), INFINITY);
    };
    dropped_below_ = bound(drop_);
    flipped_below_ = bound(drop_ + flip_);
    smoothed_below_ = bound(drop_ + flip_ + smooth_);
  }

  // Every comparison that is kept says how strong it is: a margin for objectives that take one.
  void apply(std::span<Record> records, const Stretch& stretch, Sink& sink) const override {
    for (std::size_t i = 0; i < records.size(); ++i) {
      Record& record = records[i];
      const auto judged = pairs(record);
      std::vector<bool> gone(record.feedback.size(), false);
      std::size_t left = 0;
      for (const Pair& pair : judged) {
        const double strength = strengths_.at({stretch.first + static_cast<std::int64_t>(i), pair.feedback});
        if (strength < dropped_below_) {
          gone[static_cast<std::size_t>(pair.feedback)] = true;
          sink.count("comparisons dropped");
          continue;
        }
        ++left;
        change(record, pair, strength, sink);
      }
      if (left == 0 && !judged.empty()) {
        sink.count("dropped: no comparison left");
        continue;
      }
      for (std::size_t f = 0; f < gone.size(); ++f) {
        // Indices into the feedback stay what they are: a comparison that is left out has no outcome.
        if (gone[f]) std::get<Comparison>(record.feedback[f].what).outcome = Outcome::unsure;
      }
      sink.keep(std::move(record));
    }
  }

  Json findings() const override {
    return Json::object({{"models", models_.size()},
                         {"comparisons", strengths_.size()},
                         {"below_zero", below_zero_},
                         {"mean_strength", mean_},
                         {"mean_spread", spread_}});
  }

 private:
  std::vector<double> gaps_of(const std::string& address, const Pair& pair) const {
    std::vector<double> gaps;
    for (std::size_t m = 0; m < models_.size(); ++m) {
      const auto chosen = models_[m].find({address, pair.chosen}), rejected = models_[m].find({address, pair.rejected});
      if (chosen == models_[m].end() || rejected == models_[m].end()) {
        throw DataError({.file = scores_[m], .record = address}, "no score of a compared answer",
                        "the scores of this data", "score it: attune score --model RM --data PATH");
      }
      gaps.push_back(chosen->second - rejected->second);
    }
    return gaps;
  }

  void change(Record& record, const Pair& pair, double strength, Sink& sink) const {
    Feedback& feedback = record.feedback[static_cast<std::size_t>(pair.feedback)];
    auto& comparison = std::get<Comparison>(feedback.what);
    const auto turned = [](Outcome outcome) { return outcome == Outcome::a ? Outcome::b : Outcome::a; };
    comparison.strength = std::abs(strength);
    if (strength < flipped_below_) {
      comparison.outcome = turned(comparison.outcome);
      sink.count("flipped");
    } else if (strength < smoothed_below_) {
      Feedback other = feedback;  // (1 - p) for the label and p against it
      feedback.weight *= 1 - smoothing_;
      other.weight *= smoothing_;
      std::get<Comparison>(other.what).outcome = turned(comparison.outcome);
      record.feedback.push_back(std::move(other));
      sink.count("smoothed");
    } else {
      sink.count("kept");
    }
  }
};

ATTUNE_PART(
    Operator, weight_preference_strength, PreferenceStrength,
    .summary = "measures how strong each comparison is by several reward models; drops, flips or smooths the weak",
    .formula = "mu = mean over models of r(chosen) - r(rejected), written as the comparison's strength",
    .paper =
        "Wang et al. 2024, Secrets of RLHF in Large Language Models Part II: Reward Modeling, "
        "arXiv:2401.06080");

}  // namespace attune::curate
