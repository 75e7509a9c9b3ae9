#include "attune/tensor/reference.h"

#include <cstdlib>
#include <string_view>

namespace attune {
namespace {

bool& flag() {
  static bool on = [] {
    const char* value = std::getenv("ATTUNE_OPS");
    return value != nullptr && std::string_view(value) == "reference";
  }();
  return on;
}

}  // namespace

bool reference_operations() { return flag(); }

UseReferenceOperations::UseReferenceOperations(bool on) : before_(flag()) { flag() = on; }
UseReferenceOperations::~UseReferenceOperations() { flag() = before_; }

}  // namespace attune
