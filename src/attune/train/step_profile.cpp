#include "attune/train/step_profile.h"

#include <algorithm>

#include "attune/base/profile.h"

namespace attune {

StepProfile::StepProfile() {
  take_counted_time();
  count_time(true);
}

StepProfile::~StepProfile() { count_time(false); }

void StepProfile::step(double seconds) {
  const auto parts = take_counted_time();
  if (steps_++ == 0) return;
  seconds_ += seconds;
  for (const auto& [name, time] : parts) parts_[name] += time;
}

Json StepProfile::json() const {
  const double steps = static_cast<double>(std::max<std::int64_t>(1, steps_ - 1));
  Json parts = Json::object();
  double rest = seconds_;
  for (const auto& [name, time] : parts_) {
    parts.set(name, time / steps);
    rest -= time;
  }
  parts.set("everything else", rest / steps);
  return Json::object(
      {{"steps", std::max<std::int64_t>(0, steps_ - 1)}, {"step_seconds", seconds_ / steps}, {"parts", parts}});
}

}  // namespace attune
