// A verifier: a program's own opinion of one answer, without a model. One file of this folder each.
#pragma once

#include <string>
#include <string_view>

#include "attune/config/part.h"

namespace attune {

// One answer. Views of the caller's texts.
struct Sample {
  std::string_view record = {};     // how messages name it
  std::string_view prompt = {};     // all that stands before the answer
  std::string_view answer = {};     // what is verified
  std::string_view reference = {};  // the right answer; may be empty
};

struct Verification {
  double score = 0;         // 0 to 1, unless the verifier says otherwise
  std::string reason = {};  // a few words; never the answer's own text
};

class Verifier {
 public:
  virtual ~Verifier() = default;
  // Throws ConfigError for options that do not go together. Call it once, before the first answer.
  virtual void prepare() {}
  // Throws DataError where the record lacks what it is verified against.
  virtual Verification verify(const Sample& sample) const = 0;
  void describe(Fields&) {}
};

template <>
inline constexpr std::string_view part_kind<Verifier> = "verifier";
template <>
inline constexpr bool part_weighted<Verifier> = true;

// DataError about a record without a reference answer.
void require_reference(const Sample& sample);

}  // namespace attune
