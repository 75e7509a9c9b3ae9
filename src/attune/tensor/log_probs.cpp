#include "attune/tensor/log_probs.h"

#include <ATen/ops/gather.h>
#include <ATen/ops/logsumexp.h>

#include "attune/tensor/reference.h"
#include "attune/tensor/rows.h"

namespace attune {

void log_probs_of(const Tensor& logits, const Tensor& targets, const Tensor& lse, const Tensor& logps) {
  if (use_reference(logits)) {
    lse.copy_(at::logsumexp(logits, 1));
    logps.copy_(logits.gather(1, targets.unsqueeze(1)).squeeze(1).sub_(lse));
    return;
  }
  with_type(logits, [&]<typename T>(T) {
    const kernels::LogSumExp<T> all{logits.const_data_ptr<T>(), targets.const_data_ptr<std::int64_t>(),
                                    lse.mutable_data_ptr<T>(), logps.mutable_data_ptr<T>(), logits.size(1)};
    for_rows(logits.size(0), 1, [&](kernels::Range rows) { kernels::log_sum_exp(all, rows); });
  });
}

void log_prob_gradient(const Tensor& logits, const Tensor& targets, const Tensor& lse, const Tensor& gradient) {
  if (use_reference(logits)) {
    const Tensor by_row = gradient.unsqueeze(1);
    logits.sub_(lse.unsqueeze(1)).exp_().mul_(-by_row).scatter_add_(1, targets.unsqueeze(1), by_row);
    return;
  }
  with_type(logits, [&]<typename T>(T) {
    const kernels::LogProbGradient<T> all{logits.mutable_data_ptr<T>(), targets.const_data_ptr<std::int64_t>(),
                                          lse.const_data_ptr<T>(), gradient.const_data_ptr<T>(), logits.size(1)};
    for_rows(logits.size(0), 1, [&](kernels::Range rows) { kernels::log_prob_gradient(all, rows); });
  });
}

}  // namespace attune
