#include "attune/train/limits.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "attune/base/clock.h"
#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/base/json.h"
#include "attune/base/log.h"
#include "attune/base/machine.h"
#include "attune/base/threads.h"
#include "attune/tensor/device.h"
#include "attune/train/frozen.h"

namespace attune {
namespace {

std::int64_t triangle(std::int64_t n) { return n * (n + 1) / 2; }

// The best of repeated runs within the time, at least two.
template <class Body>
double best_seconds(double within, const Body& body) {
  const double start = now_seconds();
  double best = 1e300;
  for (int run = 0; run < 2 || now_seconds() - start < within; ++run) {
    const double begin = now_seconds();
    body();
    best = std::min(best, now_seconds() - begin);
  }
  return best;
}

// What a measurement belongs to.
std::string machine_key(const at::TensorOptions& tensors) {
  std::string text = processor_name() + "/" + std::to_string(thread_count());
  const at::Device device = tensors.device();
  if (!device.is_cpu()) text += "/" + device.str() + "/" + c10::toString(c10::typeMetaToScalarType(tensors.dtype()));
  return hash_hex(text);
}

// Copies on all threads, or as the device does.
void copy_once(const Tensor& from, const Tensor& to) {
  if (!from.is_cpu()) {
    to.copy_(from);
    return;
  }
  const auto bytes = static_cast<std::size_t>(from.numel());
  parallel_for(bytes, bytes / 64, [&](std::size_t begin, std::size_t end) {
    std::copy_n(from.const_data_ptr<std::uint8_t>() + begin, end - begin, to.mutable_data_ptr<std::uint8_t>() + begin);
  });
}

double number_or_zero(const Json& json, const char* name) {
  const Json* value = json.find(name);
  return value != nullptr && value->is_number() ? value->number() : 0;
}

}  // namespace

Ceilings measure_ceilings(double seconds, const at::TensorOptions& tensors) {
  const at::NoGradGuard no_grad;
  const at::Device device = tensors.device();
  // A GPU is through with little before the clock is.
  const std::int64_t side = device.is_cpu() ? 1024 : 8192, copied = std::int64_t{1} << (device.is_cpu() ? 26 : 30);
  const Tensor a = at::ones({side, side}, tensors), b = at::ones({side, side}, tensors);
  Tensor c = at::empty({side, side}, tensors);
  const auto seconds_of = [&](const auto& body) {
    return best_seconds(seconds / 2, [&] {
      body();
      synchronise(device);
    });
  };
  Ceilings ceilings;
  ceilings.product = 2 * std::pow(static_cast<double>(side), 3) / seconds_of([&] { at::mm_out(c, a, b); });
  const Tensor from = at::ones({copied}, tensors.dtype(at::kByte)), to = at::ones_like(from);
  ceilings.copy = 2 * static_cast<double>(copied) / seconds_of([&] { copy_once(from, to); });
  return ceilings;
}

Ceilings machine_ceilings(Fs& fs, const at::TensorOptions& tensors) {
  const Path path = cache_folder() / "machine" / (machine_key(tensors) + ".json");
  try {
    const Json kept = Json::parse(read_file(path));
    const Ceilings ceilings{number_or_zero(kept, "product"), number_or_zero(kept, "copy")};
    if (ceilings.product > 0 && ceilings.copy > 0) return ceilings;
  } catch (const Error&) {  // nothing kept yet
  }
  const Ceilings ceilings = measure_ceilings(0.3, tensors);
  try {
    fs.make_directories(path.parent_path());
    write_durably(fs, path, Json::object({{"product", ceilings.product}, {"copy", ceilings.copy}}).str());
  } catch (const Error& error) {
    log_warning(std::string("the cache is not written: ") + error.what());
  }
  return ceilings;
}

PassWork work_of(const Batch& batch, std::span<const TokenRecord> records) {
  PassWork work;
  std::set<std::int64_t> prompts;
  for (const PlannedResponse& response : batch.responses) {
    const auto prompt = std::ssize(records[static_cast<std::size_t>(response.prompt)].prompt);
    const auto& record = records[static_cast<std::size_t>(response.record)];
    const auto answer = std::ssize(record.completions[static_cast<std::size_t>(response.completion)].ids);
    if (prompts.insert(response.prompt).second) {
      work.tokens += prompt;
      work.attention += triangle(prompt);
      ++work.last_rows;
    }
    work.tokens += answer;
    work.attention += prompt * answer + triangle(answer);
    work.scored += response.tokens;
    work.last_rows += response.tokens;
  }
  work.last_rows = std::min(work.last_rows, work.tokens);
  return work;
}

double forward_flop(const LanguageModel& model, const PassWork& work) {
  const ModelConfig& config = model.config();
  const auto linears = model.family().linears();
  const std::size_t in_block = linears.size() / static_cast<std::size_t>(config.layers);
  double flop = 0;
  for (std::size_t i = 0; i < linears.size(); ++i) {
    // Behind the last block's attention only some rows go on; its first matrix makes queries, keys and values.
    const bool narrow = i + in_block > linears.size();
    const auto rows = static_cast<double>(narrow ? work.last_rows : work.tokens);
    flop += 2 * rows * static_cast<double>(linears[i]->weight.numel());
  }
  flop += 4.0 * static_cast<double>(config.layers * config.heads * config.head_width * work.attention);
  return flop + 2.0 * static_cast<double>(model.family().head().weight.numel() * work.scored);
}

double limit_seconds(const LanguageModel& model, const StepPlan& plan, std::span<const TokenRecord> records,
                     const Ceilings& ceilings) {
  const ModelConfig& config = model.config();
  const bool adapter = model.adapter() != nullptr;
  const auto trained = static_cast<double>((adapter ? model.adapter()->parameters() : model.parameters()).count());
  const std::int64_t channels = 6 * config.width + 4 * (config.heads + config.kv_heads) * config.head_width +
                                5 * config.feed_forward;  // read and written between the products of a block
  double flop = 0, bytes = 28 * trained;
  const auto add = [&](const Batch& batch, double passes) {
    const PassWork work = work_of(batch, records);
    flop += passes * forward_flop(model, work);
    bytes += passes * 4 * static_cast<double>(config.layers * work.tokens * channels);
  };
  for (const Batch& batch : plan.batches) add(batch, adapter ? 2 : 3);
  for (const Batch& batch : plan.gathered) add(batch, 1);
  return flop / ceilings.product + bytes / ceilings.copy;
}

}  // namespace attune
