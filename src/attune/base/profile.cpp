#include "attune/base/profile.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "attune/base/clock.h"

namespace attune {
namespace {

std::atomic<bool> counting{false};
std::mutex mutex;

std::map<std::string, double>& counted() {
  static std::map<std::string, double> seconds;
  return seconds;
}

}  // namespace

void count_time(bool on) { counting = on; }

std::map<std::string, double> take_counted_time() {
  const std::lock_guard lock(mutex);
  return std::exchange(counted(), {});
}

TimeSpan::TimeSpan(const char* name) : name_(counting ? name : nullptr) {
  if (name_ != nullptr) start_ = now_seconds();
}

TimeSpan::~TimeSpan() {
  if (name_ == nullptr) return;
  const double seconds = now_seconds() - start_;
  const std::lock_guard lock(mutex);
  counted()[name_] += seconds;
}

}  // namespace attune
