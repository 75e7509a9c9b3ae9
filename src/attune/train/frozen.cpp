#include "attune/train/frozen.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/base/log.h"
#include "attune/policy/packing.h"
#include "attune/train/stop.h"

namespace attune {
namespace {

template <class Values>
std::string_view bytes_of(const Values& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0])};
}

std::size_t completions_in(std::span<const TokenRecord> records) {
  std::size_t count = 0;
  for (const auto& record : records) count += record.completions.size();
  return count;
}

FrozenColumn shaped(std::span<const TokenRecord> records, const std::vector<double>& flat) {
  FrozenColumn column;
  std::size_t next = 0;
  for (const auto& record : records) {
    const auto begin = flat.begin() + static_cast<std::ptrdiff_t>(next);
    next += record.completions.size();
    column.emplace_back(begin, flat.begin() + static_cast<std::ptrdiff_t>(next));
  }
  return column;
}

// File: the values, then 16 bytes of hash over them. Anything else is no cache.
std::vector<double> read_cache(const Path& path, std::size_t count) {
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return {};
  const std::string bytes = read_file(path);
  const std::size_t size = count * sizeof(double);
  if (bytes.size() != size + 32 || hash_hex(std::string_view(bytes).substr(0, size)) != bytes.substr(size)) {
    log_warning("a damaged cache file is not used: " + path.string());
    return {};
  }
  std::vector<double> values(count);
  std::memcpy(values.data(), bytes.data(), size);
  return values;
}

std::vector<double> score_all(Policy& policy, std::span<const TokenRecord> records, const FrozenOptions& options) {
  std::vector<std::size_t> first(records.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    first[i] = count;
    count += records[i].completions.size();
  }
  std::vector<double> values(count);
  const at::AutoGradMode no_gradient(false);
  ProgressLine progress("scoring the " + options.role, records.size(), "records");
  std::size_t done = 0;
  for (const auto& bin : bins_of(records, options.tokens)) {
    if (stop_requested()) {
      throw Interrupted({}, "a request to stop while the " + options.role + " was scored", "",
                        "go on with 'attune resume'");
    }
    Layout layout;
    std::vector<std::size_t> places;
    for (const std::int64_t index : bin) {
      const auto& record = records[static_cast<std::size_t>(index)];
      RecordView view = record.view(index);
      if (!options.probe_prompts.empty()) view.probe_prompt = options.probe_prompts[static_cast<std::size_t>(index)];
      for (std::size_t i = 0; i < record.completions.size(); ++i) {
        const auto completion = static_cast<std::int32_t>(i);
        if (options.probe_prompts.empty()) {
          layout.add(view, completion, ResponseRole::chosen);
        } else if (layout.add_probe(view, completion) < 0) {
          continue;
        }
        places.push_back(first[static_cast<std::size_t>(index)] + i);
      }
      layout.end_record();
    }
    const Batch batch = layout.take();
    if (batch.responses.empty()) continue;
    const Responses responses = policy.score(batch, {.models = {options.role}});
    const Tensor logps = responses.model(options.role).logps.to(at::kCPU, at::kDouble).contiguous();
    for (std::size_t i = 0; i < places.size(); ++i) values[places[i]] = logps.data_ptr<double>()[i];
    done += bin.size();
    progress.advance(done);
  }
  return values;
}

}  // namespace

Path cache_folder() {
  if (const char* folder = std::getenv("ATTUNE_CACHE")) return folder;
  if (const char* folder = std::getenv("XDG_CACHE_HOME")) return Path(folder) / "attune";
  const char* home = std::getenv("HOME");
  return Path(home != nullptr ? home : "/tmp") / ".cache" / "attune";
}

std::string content_hash(std::span<const TokenRecord> records) {
  Hasher hasher;
  for (const auto& record : records) {
    const std::vector<std::size_t> sizes{record.prompt.size(), record.completions.size()};
    hasher.add(bytes_of(sizes)).add(bytes_of(record.prompt));
    for (const auto& completion : record.completions) {
      hasher.add(bytes_of(std::vector<std::size_t>{completion.ids.size()}));
      hasher.add(bytes_of(completion.ids)).add(bytes_of(completion.scored));
    }
  }
  return hasher.hex();
}

FrozenColumn frozen_column(Fs& fs, Policy& policy, std::span<const TokenRecord> records, const FrozenOptions& options) {
  const std::string key =
      hash_hex(options.weights_hash + "/" + content_hash(records) +
               (options.probe_prompts.empty() ? "" : "/probes/" + hash_hex(bytes_of(options.probe_prompts))));
  const Path path = cache_folder() / "frozen" / (key + ".logps");
  const std::size_t count = completions_in(records);
  try {
    const auto values = read_cache(path, count);
    if (values.size() == count && count > 0) {
      log_info("log-probabilities of the " + options.role + ": from the cache");
      return shaped(records, values);
    }
  } catch (const Error& error) {
    log_warning(std::string("the cache is not used: ") + error.what());
  }
  const std::vector<double> values = score_all(policy, records, options);
  try {
    fs.make_directories(path.parent_path());
    write_durably(fs, path, std::string(bytes_of(values)) + hash_hex(bytes_of(values)));
  } catch (const Error& error) {
    log_warning(std::string("the cache is not written: ") + error.what());
  }
  return shaped(records, values);
}

void attach(const FrozenColumns& columns, const std::string& role, Batch& batch) {
  std::vector<double> values;
  for (const auto& response : batch.responses) {
    const bool probe = response.role == ResponseRole::kl_probe;
    const FrozenColumn& column = probe ? columns.probes : columns.answers;
    if (column.empty() || response.extent == Extent::whole) return;  // score this batch afresh
    values.push_back(column[static_cast<std::size_t>(response.record)][static_cast<std::size_t>(response.completion)]);
  }
  batch.known_logps[role] = at::tensor(values, at::kDouble);
}

}  // namespace attune
