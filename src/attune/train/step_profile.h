// Where the time of a stage's steps goes, by what the trunk's operations were doing.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "attune/base/json.h"

namespace attune {

class StepProfile {
 public:
  StepProfile();  // operations count their time from now on
  ~StepProfile();
  StepProfile(const StepProfile&) = delete;
  StepProfile& operator=(const StepProfile&) = delete;

  // A step that took that long has ended. The first one is left out: its memory was new.
  void step(double seconds);

  // {"steps", "step_seconds", "parts": {name: seconds a step}}; what no operation counted is "everything else".
  Json json() const;

 private:
  std::int64_t steps_ = 0;
  double seconds_ = 0;
  std::map<std::string, double> parts_;
};

}  // namespace attune
