// An Objective turns Responses into a Loss. It says what it needs, lays out which answers are scored in which roles,
// and never sees tokens' layout.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "attune/base/random.h"
#include "attune/config/fields.h"
#include "attune/config/part.h"
#include "attune/policy/layout.h"
#include "attune/policy/loss.h"
#include "attune/policy/needs.h"

namespace attune {

// Numbers gathered over a whole optimiser step (all micro-batches, all ranks) before its losses are computed, without
// gradient: KTO's KL estimate, BCO's running shift, AOT's sorted margins. Sums add, columns are concatenated.
struct Statistics {
  std::map<std::string, Tensor> sums = {};
  std::map<std::string, Tensor> columns = {};
  void merge(const Statistics& other);
  bool empty() const { return sums.empty() && columns.empty(); }
};

struct Progress {
  double fraction = 0;     // of the run, in [0, 1]
  std::int64_t step = 0;   // from 0
  std::uint64_t seed = 0;  // draw as Random(seed, "objective/<name>", {step})
};

// An objective that trains in rounds: at the end of each, the policy becomes the reference of the next.
struct Rounds {
  int count = 1;
  double momentum = 0;  // of an extrapolation along the last round's movement, before that
};

class Objective {
 public:
  virtual ~Objective() = default;
  // Throws ConfigError when options exclude each other; called when a run file is read, before any data.
  virtual void check() const {}
  virtual Rounds rounds() const { return {}; }
  virtual Needs needs() const = 0;
  // What data it learns from, for whoever brings other data.
  virtual std::string data() const { return "comparisons of a chosen and a rejected answer"; }
  // Adds the answers of one record that this objective looks at. Default: chosen and rejected of every comparison.
  virtual void layout(const RecordView& record, Layout& layout) const;
  // This micro-batch's share of the statistics; empty where the objective needs none (then no extra pass is made).
  virtual Statistics gather(const Responses&) const { return {}; }
  // Statistics that outlive a step (a running shift): from the last step's and this one's. Checkpointed.
  virtual Statistics update(const Statistics& previous, Statistics step) const;
  virtual Loss compute(const Responses& responses, const Statistics& statistics, const Progress& progress) const = 0;
};

template <>
inline constexpr std::string_view part_kind<Objective> = "objective";
template <>
inline constexpr bool part_weighted<Objective> = true;

using ObjectiveList = std::vector<Choice<Objective>>;

// A list of objectives behaves as one: needs and layouts merge, terms add with each part's weight.
Needs needs_of(const ObjectiveList& objectives);
// Of the one that trains in rounds. ConfigError when two of them do, differently.
Rounds rounds_of(const ObjectiveList& objectives);
void lay_out(const ObjectiveList& objectives, const RecordView& record, Layout& layout);
// All objectives of a list see all pairs of a batch and all responses of a role. ConfigError when, on this record, one
// of them would so be given pairs or answers that it did not ask for.
void check_agreement(const ObjectiveList& objectives, const RecordView& record);
Loss compute(const ObjectiveList& objectives, const Responses& responses, const std::vector<Statistics>& statistics,
             const Progress& progress);

}  // namespace attune
