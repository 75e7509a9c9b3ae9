// Time, in one place.
#pragma once

#include <string>

namespace attune {

double now_seconds();         // monotonic
std::string utc_timestamp();  // 2026-01-31T12:00:00Z

}  // namespace attune
