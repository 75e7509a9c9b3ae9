#include "attune/base/machine.h"

#include <cstdlib>
#include <fstream>

namespace attune {
namespace {

// What stands behind the first "NAME:" of a file under /proc; empty where there is none. Such files have no size that
// could be asked for, so they are read line by line.
std::string entry(const char* file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t begin = line.find_first_not_of(" \t:", name.size());
    return begin == std::string::npos ? std::string() : line.substr(begin);
  }
  return {};
}

double kilobytes(const char* file, const std::string& name) {
  return 1024 * std::strtod(entry(file, name).c_str(), nullptr);
}

}  // namespace

std::string processor_name() {
  const std::string name = entry("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

double memory_bytes() { return kilobytes("/proc/meminfo", "MemTotal"); }
double available_memory_bytes() { return kilobytes("/proc/meminfo", "MemAvailable"); }
double resident_bytes() { return kilobytes("/proc/self/status", "VmRSS"); }

}  // namespace attune
