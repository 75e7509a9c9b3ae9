// Every fused operation has a short reference of plain at:: calls beside it. ATTUNE_OPS=reference runs everything on
// the references: to check the fused forms, and where second derivatives are needed. The kernels of the fused forms
// work on the CPU's memory, so tensors that live elsewhere (a GPU) take the references in any case.
#pragma once

#include "attune/tensor/torch.h"

namespace attune {

bool reference_operations();

// Whether an operation on x takes its reference.
inline bool use_reference(const Tensor& x) { return !x.is_cpu() || reference_operations(); }

// For tests: switches the references on or off until destroyed. Not for concurrent use.
class UseReferenceOperations {
 public:
  explicit UseReferenceOperations(bool on);
  ~UseReferenceOperations();
  UseReferenceOperations(const UseReferenceOperations&) = delete;
  UseReferenceOperations& operator=(const UseReferenceOperations&) = delete;

 private:
  bool before_;
};

}  // namespace attune
