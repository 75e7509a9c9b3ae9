// From records to micro-batches: objectives add answers to a Layout, which keeps each answer once per role.
#pragma once

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "attune/policy/batch.h"

namespace attune {

// What an objective may know of a record when it lays it out: labels and lengths, never text or tokens.
struct RecordView {
  struct Preference {
    std::int32_t chosen = 0, rejected = 0;  // completions
    double margin = 0, weight = 1, probability = 1;
    std::int32_t rationale = -1;  // the completion that says why; -1: none
    std::array<double, vote_kinds> votes = {};
  };
  std::int64_t index = 0;
  std::span<const std::int64_t> scored_tokens = {};    // per completion
  std::span<const std::int64_t> sequence_tokens = {};  // per completion: all tokens of prompt and completion
  std::span<const Preference> preferences = {};        // of each comparison that decided
  // Of each two completions that somebody compared, all who did together: chosen is the one with more votes (the first
  // where they are even), probability the share of the votes for it, ties half, margin the mean of what they said.
  std::span<const Preference> ballots = {};
  std::span<const CompletionLabels> labels = {};  // per completion; may be empty
  std::span<const std::int8_t> thumbs = {};       // per completion: 1 up, -1 down, 0 none; may be empty
  std::int32_t reference_answer = -1;             // the completion that is the gold answer; -1: none
  std::int64_t probe_prompt = -1;  // a record whose prompt is paired with this one's answers for KL probes; -1: none
};

class Layout {
 public:
  // Index of the response; the same completion in the same role and extent is added once.
  std::int64_t add(const RecordView& record, std::int32_t completion, ResponseRole role,
                   Extent extent = Extent::answer);
  // The completion after another record's prompt (role kl_probe), -1 when the record has no probe prompt.
  std::int64_t add_probe(const RecordView& record, std::int32_t completion);
  // Two responses compared by one preference of the record; the same comparison is added once, whoever asks for it.
  void pair(std::int64_t chosen, std::int64_t rejected, const RecordView::Preference& preference);
  // Responses that belong together; the same ones are grouped once, whoever asks. A response is in one group at most.
  void group(std::span<const std::int64_t> responses);
  void end_record();

  const Batch& batch() const { return batch_; }
  Batch take();

 private:
  Batch batch_;
  std::size_t record_begin_ = 0;  // responses of the record being laid out start here
  using PairKey = std::tuple<std::int64_t, std::int64_t, const RecordView::Preference*>;
  std::vector<PairKey> paired_;  // of the record being laid out
  std::int64_t groups_ = 0;
};

}  // namespace attune
