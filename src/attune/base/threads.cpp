#include "attune/base/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace attune {
namespace {

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

std::atomic<int> wanted{0};
thread_local bool inside = false;

// One job at a time: tasks are taken by index, so uneven ones balance themselves.
class Pool {
 public:
  Pool() {
    for (int i = 1; i < thread_count(); ++i) workers_.emplace_back([this] { work(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  void run(std::size_t tasks, const std::function<void(std::size_t)>& task) {
    const std::lock_guard one_job(jobs_);
    {
      const std::lock_guard lock(mutex_);
      task_ = &task;
      tasks_ = tasks;
      next_ = 0;
      busy_ = workers_.size();
      error_ = nullptr;
      ++job_;
    }
    wake_.notify_all();
    take();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    task_ = nullptr;
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void take() {
    inside = true;
    for (std::size_t i = next_++; i < tasks_; i = next_++) {
      try {
        (*task_)(i);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
        next_ = tasks_;
      }
    }
    inside = false;
  }

  void work() {
    std::size_t seen = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stop_ || job_ != seen; });
      if (stop_) return;
      seen = job_;
      lock.unlock();
      take();
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::mutex jobs_;  // one caller at a time
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(std::size_t)>* task_ = nullptr;  // the fields below belong to the job in progress
  std::size_t tasks_ = 0;
  std::atomic<std::size_t> next_{0};
  std::size_t busy_ = 0;
  std::size_t job_ = 0;
  std::exception_ptr error_;
  bool stop_ = false;
};

}  // namespace

int thread_count() {
  const int count = wanted.load();
  return count > 0 ? count : available_cores();
}

void set_thread_count(int count) { wanted = count; }

void parallel_for(std::size_t size, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body) {
  if (size == 0) return;
  const std::size_t most = std::max<std::size_t>(1, size / std::max<std::size_t>(1, grain));
  const std::size_t tasks = std::min(most, static_cast<std::size_t>(thread_count()) * 4);
  if (tasks == 1 || inside || thread_count() == 1) {
    body(0, size);
    return;
  }
  static Pool pool;
  pool.run(tasks, [&](std::size_t i) { body(size * i / tasks, size * (i + 1) / tasks); });
}

}  // namespace attune
