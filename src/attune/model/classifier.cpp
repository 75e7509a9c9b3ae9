#include "attune/model/classifier.h"

#include "attune/base/errors.h"

namespace attune {

std::int64_t scored_token(std::span<const std::int32_t> ids, std::int64_t pad_token) {
  require(!ids.empty(), "a score of no tokens");
  std::int64_t last = std::ssize(ids) - 1;
  while (last > 0 && ids[static_cast<std::size_t>(last)] == pad_token) --last;
  return last;
}

}  // namespace attune
