// What an objective asks of a policy: which frozen models, which columns. Needs of several objectives merge.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/base/json.h"
#include "attune/model/output_heads.h"
#include "attune/model/vocabulary.h"
#include "attune/policy/responses.h"

namespace attune {

// A column of what people said of single completions: the mean rating of an attribute, or the share of its ratings that
// stand at one level.
struct LabelColumn {
  std::string attribute = {};
  std::optional<double> level = {};
  bool operator==(const LabelColumn&) const = default;
};

// A score head in place of the language model's own: what its outputs are called, and what they mean (heads/head.h).
struct RewardNeeds {
  std::vector<std::string> outputs = {};
  Json head = {};
  bool operator==(const RewardNeeds&) const = default;
};

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
  // Responses::outputs and states, and no log-probabilities: the model is a sequence classifier.
  std::optional<RewardNeeds> reward = {};
  std::vector<LabelColumn> labels = {};  // Responses::labels, in this order
  bool activations = false;              // TokenColumns::activation of the frozen reference

  bool needs_model(std::string_view role) const;
  // True when sums of log-probabilities over the data's own completions are all that is wanted of frozen models.
  bool only_sums() const;
  // Every frozen model that must be at hand: named, of vocabulary terms, and the reference where its states are wanted.
  std::vector<std::string> frozen_models() const;
  // The union; names are unique. ConfigError when one wants a score head and the other log-probabilities, or when they
  // want different heads or different labels.
  void merge(const Needs& other);
};

}  // namespace attune
