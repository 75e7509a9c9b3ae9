// Where tensors live and are computed: the memory of the CPU, or a GPU through libtorch's own CUDA backend. No header
// of CUDA is needed for any of this, so one source serves libtorch with and without it, and what is there is found when
// the program runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

// How devices are named, as torch.device does: cpu, cuda (the first GPU), cuda:N; and auto, which is the first GPU and
// on machines without any the CPU.
inline constexpr const char* device_names = "auto, cpu, cuda or cuda:N";
bool is_device_name(std::string_view name);

// DeviceError for a GPU that the machine, or the libtorch that is loaded, does not have. `name` is a device name.
at::Device find_device(std::string_view name);

struct Gpu {
  std::string device = {};     // cuda:0, ...
  std::string name = {};       // of the product; empty where the driver does not say
  double memory_bytes = 0;     // of all
  double available_bytes = 0;  // of it, to anybody
};
std::vector<Gpu> gpus();

// The tensor on the device. From the CPU's memory to a GPU the copy is queued behind what that works on already, and
// the host goes on; on the CPU it is the tensor itself.
Tensor moved(const Tensor& tensor, at::Device device);

// Waits until all work that was queued on the device is done: before a clock is read. Nothing on the CPU.
void synchronise(at::Device device);

// Bytes of tensors on the device: of CPU tensors those of the caching allocator (tensor/allocator.h), of a GPU's those
// of libtorch's.
struct TensorMemory {
  double current = 0;
  double peak = 0;  // of `current`, since the start or reset_tensor_peak
};
TensorMemory tensor_memory(at::Device device);
void reset_tensor_peak(at::Device device);
void release_cached_memory(at::Device device);

// What a GPU has left for this process: free, or kept by its allocator.
double available_memory(at::Device gpu);

}  // namespace attune
