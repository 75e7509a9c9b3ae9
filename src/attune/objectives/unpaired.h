// What objectives on single answers share: which answers are good and which are bad, each on its own, and means over a
// whole step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/objectives/objective.h"

namespace attune::objectives {

// A completion somebody found good (role chosen) or bad (role rejected).
struct Opinion {
  std::int32_t completion = 0;
  ResponseRole role = ResponseRole::chosen;
};

// Thumbs; and of comparisons whose side has no thumb, the chosen side is good and the rejected one bad. An answer that
// won one comparison and lost another is both.
std::vector<Opinion> opinions(const RecordView& record);

// Whether a completion is an answer to the record's prompt, not its gold answer nor a reason for a preference.
bool is_answer(const RecordView& record, std::int32_t completion);

// Answers without an opinion: samples of the model.
std::vector<std::int32_t> unjudged(const RecordView& record);

void lay_out_opinions(const RecordView& record, Layout& layout);

inline constexpr const char* opinions_data =
    "answers with a thumb up or down, or comparisons, whose sides count singly";

// The answers of one role, [n] each.
struct Answers {
  Tensor logps;      // log pi, with gradient
  Tensor log_ratio;  // log pi - log reference, with gradient; undefined without a reference
  Tensor weight;     // of the feedback
  std::int64_t size() const { return logps.size(0); }
};
Answers answers(const Responses& responses, ResponseRole role);                         // without a reference
Answers answers(const Responses& responses, ResponseRole role, const char* reference);  // with that frozen model

// What a loss on both kinds of answers divides by: all of them, as TRL does.
inline constexpr Roles good_and_bad = ResponseRole::chosen | ResponseRole::rejected;

// The losses [n] of good and bad answers under their weights, over all of both.
Term opinions_term(std::string name, const Answers& good, const Tensor& good_loss, const Answers& bad,
                   const Tensor& bad_loss);

// [R] of the type of the log-probabilities: 1 for responses in these roles, else 0.
Tensor mask_of(const Responses& responses, Roles roles);

// rewards/{chosen,rejected} (beta times the log-ratio), logps/{chosen,rejected} and, as the difference of both means,
// rewards/margins, under TRL's names; a side without answers reports nothing.
void add_unpaired_metrics(Metrics& metrics, const Answers& good, const Answers& bad, double beta);

// A mean over a whole step: the sum and the count of `values` [n] under one name, in double, which merge by adding.
void gather_mean(Statistics& statistics, const std::string& name, const Tensor& values);
struct GatheredMean {
  Tensor mean;   // a scalar of the type of `like`; 0 where nothing was gathered
  Tensor count;  // a scalar
};
GatheredMean gathered_mean(const Statistics& statistics, const std::string& name, const Tensor& like);

}  // namespace attune::objectives
