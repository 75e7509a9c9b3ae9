// What the outputs of a reward model's score head mean: how good an answer is, how sure that is, who would be
// preferred. A reward model is a sequence classifier with as many labels as its head has outputs, and keeps the head in
// its config.json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/config/fields.h"
#include "attune/config/part.h"
#include "attune/tensor/torch.h"

namespace attune {

// What an annotator says of two answers, from "b is much better" to "a is much better".
inline constexpr std::int64_t verdicts = 5;

// Outputs are rows [R, k], k = outputs().size(); pairs of answers are two of them, row by row, [P, k] each. Everything
// is differentiable.
class RewardHead {
 public:
  virtual ~RewardHead() = default;
  // Throws ConfigError when options exclude each other; called when a run file or a model is read.
  virtual void check() const {}
  // A name for each output, in order; none twice.
  virtual std::vector<std::string> outputs() const = 0;
  // The outputs that are scores of their own, by name; none of a head whose outputs only make sense together.
  virtual std::vector<std::string> attributes() const { return {}; }
  // How good each answer is, [R]; undefined of a head that only compares.
  virtual Tensor score(const Tensor& outputs) const = 0;
  // One standard deviation of how good people would find it, [R]; undefined where the head does not say.
  virtual Tensor spread(const Tensor&) const { return {}; }
  // Log-odds that a is preferred to b, [P]. By default the difference of the scores (Bradley and Terry 1952).
  virtual Tensor log_odds(const Tensor& a, const Tensor& b) const;
  // Log-probabilities of the verdicts on a and b, [P, verdicts]; undefined where the head does not say.
  virtual Tensor log_verdicts(const Tensor&, const Tensor&) const { return {}; }
  // Log-probabilities of the ratings on a scale, [R, levels]; undefined where the head does not say.
  virtual Tensor log_ratings(const Tensor&) const { return {}; }
  // The ratings that log_ratings speaks of, lowest first.
  virtual std::vector<double> levels() const { return {}; }
};

template <>
inline constexpr std::string_view part_kind<RewardHead> = "head";

// The head as config.json keeps it, {"scalar": {}} under the key `reward_head`, and back. Throws FormatError.
inline constexpr std::string_view head_key = "reward_head";
Json to_json(const Choice<RewardHead>& head);
// That of a classifier's config.json: `scalar` of one that says nothing and has one label, as other programs write
// them; `attributes` by the labels' names where there are several.
Choice<RewardHead> head_of(const Json& config, std::int64_t labels, const Path& path);

}  // namespace attune
