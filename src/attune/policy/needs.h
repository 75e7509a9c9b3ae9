// What an objective asks of a policy: which frozen models, which columns. Needs of several objectives merge.
#pragma once

#include <string>
#include <vector>

#include "attune/model/output_heads.h"
#include "attune/model/vocabulary.h"
#include "attune/policy/responses.h"

namespace attune {

struct Needs {
  std::vector<std::string> models = {};         // frozen models by role: "reference", "reverse", "teacher"
  std::vector<VocabularyTerm> vocabulary = {};  // per scored token, computed chunk by chunk
  std::vector<HeadSpec> heads = {};
  bool tokens = false;             // per-token columns
  bool statistics = false;         // gather() over the whole step before the losses
  Roles gathered = Roles::all();   // which responses gather() looks at: no others are scored for it
  bool reference_answers = false;  // the data's gold answers as completions (RecordView::reference_answer)
  bool rationales = false;         // the reasons for comparisons as completions (RecordView::Preference::rationale)
  bool probes = false;             // answers after another record's prompt (Layout::add_probe)
  bool whole = false;              // frozen columns of whole sequences (Extent::whole), which no cache holds
  bool activations = false;        // TokenColumns::activation of the frozen reference

  bool needs_model(std::string_view role) const;
  // True when sums of log-probabilities over the data's own completions are all that is wanted of frozen models.
  bool only_sums() const;
  // Every frozen model that must be at hand: named, of vocabulary terms, and the reference where its states are wanted.
  std::vector<std::string> frozen_models() const;
  void merge(const Needs& other);  // the union; names are unique
};

}  // namespace attune
