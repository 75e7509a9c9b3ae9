#include "attune/train/batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/policy/packing.h"

namespace attune {

Batches::Batches(std::span<const TokenRecord> records, const BatchOptions& options)
    : records_(records), options_(options) {
  require(!records.empty(), "batches of no records");
  const auto count = static_cast<std::int64_t>(records.size());
  per_epoch_ = (count + options.records - 1) / options.records;
  const double wanted = std::ceil(options.epochs * static_cast<double>(per_epoch_) - 1e-9);
  steps_ = options.steps > 0 ? options.steps : static_cast<std::int64_t>(wanted);
}

const std::vector<std::int64_t>& Batches::order(std::int64_t epoch) const {
  if (epoch == ordered_epoch_) return order_;
  const auto count = static_cast<std::int64_t>(records_.size());
  if (options_.shuffle) {
    order_ = Random(options_.seed, "order", {epoch}).permutation(count);
  } else {
    order_.resize(records_.size());
    std::iota(order_.begin(), order_.end(), 0);
  }
  ordered_epoch_ = epoch;
  return order_;
}

std::vector<std::vector<std::int64_t>> Batches::at(std::int64_t step) const {
  const auto& all = order(step / per_epoch_);
  const std::int64_t begin = (step % per_epoch_) * options_.records;
  const std::int64_t end = std::min<std::int64_t>(begin + options_.records, static_cast<std::int64_t>(all.size()));
  return pack(records_, {all.begin() + begin, all.begin() + end}, options_.tokens);
}

}  // namespace attune
