#include "attune/verifiers/verifier.h"

#include "attune/base/errors.h"

namespace attune {

void require_reference(const Sample& sample) {
  if (!sample.reference.empty()) return;
  throw DataError({.record = std::string(sample.record)}, "no reference answer", "one to compare with",
                  "add a column `answer`, or use a verifier without references");
}

}  // namespace attune
