#include "attune/train/monitor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "attune/base/log.h"
#include "attune/policy/language.h"

namespace attune {
namespace {

using diagnostics::LikelihoodPoint;
using diagnostics::Warning;

constexpr double share = 0.005;      // of the run's passes over tokens
constexpr double passes_a_step = 3;  // forward, and twice that backward
constexpr int most_records = 64;
constexpr int least_records = 2;
constexpr std::int64_t looks = 20;  // wanted of a run, where it is long enough
constexpr int most_every = 50;      // steps; as in the paper
constexpr std::int64_t least_looks = 4;

constexpr std::array names = {"likelihood/chosen", "likelihood/rejected", "likelihood/entropy", "likelihood/mass"};

// `count` of them, evenly spread.
std::vector<std::size_t> spread(const std::vector<std::size_t>& all, std::size_t count) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(all[i * all.size() / count]);
  return result;
}

std::optional<LikelihoodPoint> point_of(const Json& row) {
  std::array<double, names.size()> values{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Json* value = row.find(names[i]);
    if (value == nullptr || !value->is_number()) return std::nullopt;
    values[i] = value->number();
  }
  return LikelihoodPoint{.step = row.find("step")->integer(),
                         .chosen = values[0],
                         .rejected = values[1],
                         .entropy = values[2],
                         .mass = values[3]};
}

}  // namespace

MonitorPlan plan_monitor(const MonitorSettings& settings, std::span<const TokenRecord> records,
                         const MonitoredRun& run) {
  std::vector<std::size_t> compared;
  double tokens = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].preferences.empty()) continue;
    compared.push_back(i);
    tokens += static_cast<double>(records[i].tokens());
  }
  if (!settings.over_optimisation || compared.empty()) return {};
  const double of_record = tokens / static_cast<double>(compared.size());
  const double allowed = share * passes_a_step * run.step_tokens / of_record;  // records a step
  const int wanted = settings.records > 0 ? settings.records : least_records;
  const auto steps_for = [&](double count) { return static_cast<int>(std::ceil(count / allowed)); };
  MonitorPlan plan{.every = settings.every};
  if (plan.every == 0) {
    plan.every = static_cast<int>(std::clamp<std::int64_t>(run.steps / looks, 1, most_every));
    plan.every = std::max(plan.every, steps_for(std::min<double>(wanted, static_cast<double>(compared.size()))));
  }
  if (run.steps / plan.every < least_looks) return {};
  const int count = settings.records > 0
                        ? settings.records
                        : std::clamp(static_cast<int>(allowed * plan.every), least_records, most_records);
  plan.records = spread(compared, std::min(static_cast<std::size_t>(count), compared.size()));
  return plan;
}

Monitor::Monitor(const MonitorSettings& settings, const MonitorPlan& plan, std::span<const TokenRecord> records,
                 std::string stage)
    : settings_(settings), every_(plan.every), stage_(std::move(stage)) {
  for (const std::size_t index : plan.records) records_.push_back(records[index]);
  if (!records_.empty()) pairs_ = diagnostics::compared_pairs(records_);
}

void Monitor::recall(std::span<const Json> rows) {
  for (const Json& row : rows) {
    const Json* stage = row.find("stage");
    if (stage == nullptr || stage->string() != stage_) continue;
    if (const auto point = point_of(row)) curve_.push_back(*point);
  }
}

void Monitor::after_step(LanguageModel& model, std::int64_t step, Json& row) {
  if (every_ == 0 || (step != 1 && step % every_ != 0)) return;
  LanguagePolicy policy(model, records_);
  LikelihoodPoint point = diagnostics::likelihoods_of(policy, records_, pairs_, {.k = settings_.k});
  point.step = row.find("step")->integer();
  const std::array values = {point.chosen, point.rejected, point.entropy, point.mass};
  for (std::size_t i = 0; i < names.size(); ++i) row.set(names[i], values[i]);
  add(point);
}

// Says what the new point is the first to show.
void Monitor::add(const LikelihoodPoint& point) {
  curve_.push_back(point);
  const diagnostics::WarningOptions options{.patience = settings_.patience, .decline = settings_.decline};
  for (const Warning& warning : diagnostics::over_optimisation_warnings(curve_, options)) {
    if (warning.seen != point.step) continue;
    log_warning("step " + std::to_string(point.step) + ": over-optimisation (" + std::string(name(warning.rule)) +
                "): since step " + std::to_string(warning.step) + " " + std::string(sentence(warning.rule)) +
                "; stop there, or add an sft term");
  }
}

}  // namespace attune
