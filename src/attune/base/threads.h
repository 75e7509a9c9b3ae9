// A small pool for our own kernels and data loops: few, large tasks. Workers sleep on a condition variable between
// calls, so that a busy neighbour process is never fought by spinning.
#pragma once

#include <cstddef>
#include <functional>

namespace attune {

// Threads used by parallel_for: the number of cores this process may run on, unless set. Set it before the first call.
int thread_count();
void set_thread_count(int count);

// Calls body(begin, end) over disjoint ranges that cover [0, size), the caller's thread included; returns when all are
// done. Ranges hold at least `grain` items. Nested calls run serially. The first exception of a body is rethrown here.
void parallel_for(std::size_t size, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body);

}  // namespace attune
