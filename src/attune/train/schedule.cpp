#include "attune/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace attune {

Schedule::Schedule(const ScheduleSettings& settings, double peak, std::int64_t total)
    : settings_(settings), peak_(peak), total_(total) {
  const double warmup = settings.warmup;
  warmup_ = static_cast<std::int64_t>(warmup < 1 ? std::ceil(warmup * static_cast<double>(total)) : warmup);
}

double Schedule::at(std::int64_t step) const {
  if (step < warmup_) return peak_ * static_cast<double>(step) / static_cast<double>(warmup_);
  const double progress = std::min(
      1.0, static_cast<double>(step - warmup_) / static_cast<double>(std::max<std::int64_t>(1, total_ - warmup_)));
  double share = 1;
  if (settings_.decay == Decay::linear) share = 1 - progress;
  if (settings_.decay == Decay::cosine) share = 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return peak_ * (settings_.floor + (1 - settings_.floor) * share);
}

}  // namespace attune
