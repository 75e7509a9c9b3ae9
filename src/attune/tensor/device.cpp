#include "attune/tensor/device.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/tensor/allocator.h"

namespace attune {
namespace {

constexpr std::string_view cuda_prefix = "cuda:";

std::int64_t gpu_count() {
  const auto& cuda = at::detail::getCUDAHooks();
  return cuda.hasCUDA() ? std::max<std::int64_t>(0, cuda.deviceCount()) : 0;
}

// The number behind "cuda:", and 0 for "cuda"; none for other names.
std::optional<std::int64_t> gpu_index(std::string_view name) {
  if (name == "cuda") return 0;
  if (!name.starts_with(cuda_prefix)) return std::nullopt;
  name.remove_prefix(cuda_prefix.size());
  std::uint8_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  const bool whole = error == std::errc{} && end == name.data() + name.size() && (name.size() == 1 || name[0] != '0');
  return whole && index < 128 ? std::optional<std::int64_t>(index) : std::nullopt;  // DeviceIndex has 8 bits
}

at::Device gpu(std::int64_t index) { return {at::kCUDA, static_cast<c10::DeviceIndex>(index)}; }

// The driver's names of the products, in order of their places on the bus: as CUDA numbers them under
// CUDA_DEVICE_ORDER=PCI_BUS_ID, and wherever all are alike.
std::vector<std::string> product_names() {
  const Path folder = "/proc/driver/nvidia/gpus";
  constexpr std::string_view key = "Model:";
  std::vector<std::string> names;
  std::error_code none;
  if (!std::filesystem::is_directory(folder, none)) return names;
  std::vector<std::string> places = list_directory(folder);
  std::sort(places.begin(), places.end());
  for (const std::string& place : places) {
    std::string name;
    try {
      const std::string text = read_file(folder / place / "information");
      const std::size_t begin = text.find(key);
      if (begin != std::string::npos) {
        name = text.substr(begin + key.size(), text.find('\n', begin) - begin - key.size());
        name.erase(0, name.find_first_not_of(" \t"));
      }
    } catch (const Error&) {  // a driver that keeps it to itself
    }
    names.push_back(std::move(name));
  }
  return names;
}

double count_of(const c10::CachingAllocator::StatArray& statistic, bool peak) {
  const auto& all = statistic[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
  return static_cast<double>(peak ? all.peak : all.current);
}

// A GPU's allocator exists from its first use on.
at::Device started(at::Device device) {
  at::globalContext().lazyInitDevice(at::kCUDA);
  return device;
}

c10::CachingDeviceAllocator::DeviceStats statistics_of(at::Device device) {
  return at::accelerator::getDeviceStats(device.index());
}

}  // namespace

bool is_device_name(std::string_view name) { return name == "auto" || name == "cpu" || gpu_index(name).has_value(); }

at::Device find_device(std::string_view name) {
  require(is_device_name(name), "a device that nobody checked the name of");
  const std::int64_t count = gpu_count();
  if (name == "auto") return count > 0 ? started(gpu(0)) : at::Device(at::kCPU);
  if (name == "cpu") return at::kCPU;
  const std::int64_t index = *gpu_index(name);
  if (index < count) return started(gpu(index));
  const std::string found = "the device " + std::string(name);
  if (!at::detail::getCUDAHooks().hasCUDART()) {
    throw DeviceError({.field = "device"}, found + " and a libtorch without CUDA", "cpu, or auto",
                      "run tools/setup.sh where there is a GPU, and build again");
  }
  throw DeviceError({.field = "device"}, found + " and " + std::to_string(count) + " GPUs that CUDA can use",
                    count > 0 ? "cuda:0 to cuda:" + std::to_string(count - 1) : "cpu, or auto",
                    "'attune doctor' lists them");
}

std::vector<Gpu> gpus() {
  std::vector<Gpu> result;
  std::vector<std::string> names = product_names();
  if (std::ssize(names) != gpu_count()) names.clear();  // CUDA_VISIBLE_DEVICES hides some
  for (std::int64_t index = 0; index < gpu_count(); ++index) {
    started(gpu(index));
    const auto [available, all] = at::accelerator::getMemoryInfo(static_cast<c10::DeviceIndex>(index));
    const auto place = static_cast<std::size_t>(index);
    result.push_back({.device = gpu(index).str(),
                      .name = place < names.size() ? names[place] : "",
                      .memory_bytes = static_cast<double>(all),
                      .available_bytes = static_cast<double>(available)});
  }
  return result;
}

Tensor moved(const Tensor& tensor, at::Device device) {
  if (!tensor.defined() || tensor.device() == device) return tensor;
  // Only from pinned memory is a copy asynchronous; libtorch keeps that memory until the copy is done.
  return device.is_cuda() && tensor.is_cpu() ? tensor.pin_memory().to(device, true) : tensor.to(device);
}

void synchronise(at::Device device) {
  if (device.is_cuda()) at::accelerator::synchronizeDevice(device.index());
}

TensorMemory tensor_memory(at::Device device) {
  if (device.is_cuda()) {
    const auto statistics = statistics_of(device);
    return {count_of(statistics.allocated_bytes, false), count_of(statistics.allocated_bytes, true)};
  }
  const AllocatorStatistics statistics = allocator_statistics();
  return {static_cast<double>(statistics.current), static_cast<double>(statistics.peak)};
}

void reset_tensor_peak(at::Device device) {
  device.is_cuda() ? at::accelerator::resetPeakStats(device.index()) : reset_allocator_peak();
}

void release_cached_memory(at::Device device) {
  device.is_cuda() ? at::accelerator::emptyCache() : release_cached_memory();
}

double available_memory(at::Device gpu) {
  const auto statistics = statistics_of(gpu);
  const double kept = count_of(statistics.reserved_bytes, false) - count_of(statistics.allocated_bytes, false);
  return static_cast<double>(at::accelerator::getMemoryInfo(gpu.index()).first) + kept;
}

}  // namespace attune
