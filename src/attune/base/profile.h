// Where the time of a training step goes: operations name what they are doing, and the seconds add up by name.
#pragma once

#include <map>
#include <string>

namespace attune {

// Switches counting on or off; off at the start, where a span costs one test.
void count_time(bool on);

// Seconds by name since counting began or they were last taken; taken means reset.
std::map<std::string, double> take_counted_time();

// Counts from construction to destruction under a name, a literal. Spans do not nest: the outer one would count the
// inner one's time again. For the thread that trains.
class TimeSpan {
 public:
  explicit TimeSpan(const char* name);
  ~TimeSpan();
  TimeSpan(const TimeSpan&) = delete;
  TimeSpan& operator=(const TimeSpan&) = delete;

 private:
  const char* name_;
  double start_ = 0;
};

}  // namespace attune
