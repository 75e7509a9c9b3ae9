// Every fused operation has a short reference of plain at:: calls beside it. ATTUNE_OPS=reference runs everything on
// the references: to check the fused forms, on a new device, and where second derivatives are needed.
#pragma once

namespace attune {

bool reference_operations();

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
