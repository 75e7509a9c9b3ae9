#include "attune/train/labels.h"

#include <charconv>

namespace attune {
namespace {

// -1 where it is not a number.
std::int32_t degree_of(const std::string& text) {
  std::int32_t degree = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), degree);
  return error == std::errc() && end == text.data() + text.size() ? degree : -1;
}

}  // namespace

FeedbackLabels feedback_labels(const Record& record, std::string_view attribute) {
  const std::size_t completions = record.completions.size();
  FeedbackLabels result;
  const auto labels = [&](std::int32_t completion) -> CompletionLabels& {
    result.labels.resize(completions);
    return result.labels[static_cast<std::size_t>(completion)];
  };
  const auto obsolete = superseded(record);
  for (std::size_t i = 0; i < record.feedback.size(); ++i) {
    const Feedback& feedback = record.feedback[i];
    if (obsolete[i] || !on_whole_completion(feedback)) continue;
    const std::int32_t completion = feedback.on.completion;
    if (const auto* signal = std::get_if<Signal>(&feedback.what); signal != nullptr && signal->kind == "logp") {
      labels(completion).behaviour_logp = signal->value;
    } else if (const auto* label = std::get_if<Label>(&feedback.what); label != nullptr && label->name == "degree") {
      labels(completion).level = degree_of(label->value);
    }
  }
  const CompletionMeans scores = scores_of(record, attribute), thumbs = thumbs_of(record);
  if (thumbs.any()) result.thumbs.resize(completions, 0);
  for (std::size_t i = 0; i < completions; ++i) {
    if (thumbs.has(i)) result.thumbs[i] = static_cast<std::int8_t>((thumbs.sum(i) > 0) - (thumbs.sum(i) < 0));
    const double count = scores.count(i) + thumbs.count(i);
    if (count == 0) continue;
    CompletionLabels& label = labels(static_cast<std::int32_t>(i));
    if (scores.has(i)) label.score = scores.mean(i);
    label.weight = (scores.weight(i) + thumbs.weight(i)) / count;
  }
  return result;
}

}  // namespace attune
