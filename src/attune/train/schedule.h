// The learning rate at each step, with the conventions of transformers' schedulers.
#pragma once

#include <cstdint>

#include "attune/train/run.h"

namespace attune {

class Schedule {
 public:
  // `total`: optimiser steps of the stage.
  Schedule(const ScheduleSettings& settings, double peak, std::int64_t total);
  // Of the update that is made at `step`, counted from 0.
  double at(std::int64_t step) const;

 private:
  ScheduleSettings settings_;
  double peak_;
  std::int64_t total_, warmup_;
};

}  // namespace attune
