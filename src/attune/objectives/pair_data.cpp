// What losses on pairs ask of a record's labels.
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <cmath>

#include "attune/objectives/pairwise.h"

namespace attune::objectives {
namespace {

double score_of(const RecordView& record, std::int32_t completion) {
  return record.labels.empty() ? CompletionLabels{}.score : record.labels[static_cast<std::size_t>(completion)].score;
}

}  // namespace

bool both_scored(const RecordView& record, const RecordView::Preference& preference) {
  return std::isfinite(score_of(record, preference.chosen)) && std::isfinite(score_of(record, preference.rejected));
}

Tensor score_gap(const Responses& responses) {
  return responses.scores.index_select(0, responses.pairs.chosen) -
         responses.scores.index_select(0, responses.pairs.rejected);
}

std::optional<RecordView::Preference> best_and_worst(const RecordView& record) {
  std::int32_t best = -1, worst = -1;
  for (std::int32_t i = 0; i < std::ssize(record.labels); ++i) {
    const double score = score_of(record, i);
    if (!std::isfinite(score)) continue;
    if (best < 0 || score > score_of(record, best)) best = i;
    if (worst < 0 || score < score_of(record, worst)) worst = i;
  }
  if (best < 0 || score_of(record, best) == score_of(record, worst)) return std::nullopt;
  return RecordView::Preference{.chosen = best, .rejected = worst};
}

std::vector<std::int32_t> samples_of(const RecordView& record) {
  std::vector<bool> judged(record.scored_tokens.size(), false);
  const auto judge = [&](std::int32_t completion) {
    if (completion >= 0) judged[static_cast<std::size_t>(completion)] = true;
  };
  judge(record.reference_answer);
  for (const auto& preference : record.preferences) {
    judge(preference.chosen);
    judge(preference.rejected);
    judge(preference.rationale);
  }
  std::vector<std::int32_t> samples;
  for (std::size_t i = 0; i < judged.size(); ++i) {
    if (!judged[i] && (record.thumbs.empty() || record.thumbs[i] == 0)) samples.push_back(static_cast<std::int32_t>(i));
  }
  return samples;
}

}  // namespace attune::objectives
