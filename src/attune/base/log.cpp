#include "attune/base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <utility>

#include "attune/base/clock.h"

namespace attune {
namespace {

std::atomic<LogLevel> level{LogLevel::info};

void line(std::string_view head, std::string_view text) {
  std::string whole = std::string(head) + std::string(text) + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

}  // namespace

void set_log_level(LogLevel value) { level = value; }
LogLevel log_level() { return level; }
void log_info(std::string_view text) {
  if (level >= LogLevel::info) line("attune: ", text);
}
void log_debug(std::string_view text) {
  if (level >= LogLevel::debug) line("attune: ", text);
}
void log_warning(std::string_view text) { line("attune: warning: ", text); }

ProgressLine::ProgressLine(std::string what, std::size_t total, std::string unit)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      start_(now_seconds()),
      terminal_(::isatty(2) == 1) {
  shown_ = start_;
}

ProgressLine::~ProgressLine() {
  if (drawn_) show({}, true);
}

void ProgressLine::advance(std::size_t done, std::string_view note) {
  done_ = done;
  const double now = now_seconds();
  if (level < LogLevel::info || now - shown_ < (terminal_ ? 0.2 : 10.0)) return;
  shown_ = now;
  show(note, false);
}

void ProgressLine::show(std::string_view note, bool last) {
  drawn_ = true;
  const double seconds = now_seconds() - start_;
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  char text[256];
  int size = std::snprintf(text, sizeof text, "attune: %s %zu", what_.c_str(), done_);
  const auto add = [&](const char* format, auto... values) {
    if (size < static_cast<int>(sizeof text)) {
      size += std::snprintf(text + size, sizeof text - static_cast<std::size_t>(size), format, values...);
    }
  };
  if (total_ > 0) add("/%zu", total_);
  add(" %s, %.1f/s", unit_.c_str(), rate);
  if (total_ > 0 && rate > 0 && !last) add(", %.0f s left", static_cast<double>(total_ - done_) / rate);
  if (!note.empty()) add(", %.*s", static_cast<int>(note.size()), note.data());
  std::fprintf(stderr, terminal_ ? "\r\033[K%s%s" : "%s%s", text, terminal_ && !last ? "" : "\n");
}

}  // namespace attune
