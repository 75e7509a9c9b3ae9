// What an objective asks of a policy: which frozen models, which columns. Needs of several objectives merge.
#pragma once

#include <string>
#include <vector>

#include "attune/model/vocabulary.h"

namespace attune {

// A trainable head on the final hidden states, stored under heads/<name>.
struct HeadSpec {
  std::string name = {};
  std::string kind = {};  // a part of model/heads
  int outputs = 1;
};

struct Needs {
  std::vector<std::string> models = {};         // frozen models by role: "reference", "reverse", "teacher"
  std::vector<VocabularyTerm> vocabulary = {};  // per scored token, computed chunk by chunk
  std::vector<HeadSpec> heads = {};
  bool tokens = false;      // per-token columns
  bool statistics = false;  // gather() over the whole step before the losses
  bool hidden = false;      // final hidden states at the scored rows

  bool needs_model(std::string_view role) const;
  void merge(const Needs& other);  // the union; names are unique
};

}  // namespace attune
