// A loss is named sums over named counts. Counts are known from the batch plan before any forward pass, so a term is
// scaled once, and accumulation, packing and ranks change nothing beyond rounding.
#pragma once

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "attune/policy/batch.h"
#include "attune/policy/responses.h"

namespace attune {

enum class Per { response, pair, group, record, token, label, constant };

// weight * sum / count, where the count is of the whole optimiser step: all pairs, all tokens of the chosen
// responses, ... `role` narrows responses and tokens to one role or several (KTO: chosen | rejected); empty: all.
// Per::label counts the numbers that people gave responses (CompletionLabels::columns); Per::constant divides by 1.
struct Term {
  std::string name = {};
  Tensor sum = {};  // a scalar over this micro-batch
  Per per = Per::pair;
  Roles role = {};
  double weight = 1;
};

// What is logged: sums and counts that merge over micro-batches and ranks; the ratio is taken when a step is written.
class Metrics {
 public:
  // Both scalars stay on the policy's device: nothing waits for them until they are logged.
  void add(const std::string& name, const Tensor& sum, double count);
  void add(const std::string& name, const Tensor& sum, const Tensor& count);
  // The least, or the greatest, of what is added under the name; [] a scalar.
  void add_least(const std::string& name, const Tensor& value);
  void add_greatest(const std::string& name, const Tensor& value);
  // `name` is the mean of `one` minus the mean of `other`, in steps that have both.
  void add_difference(const std::string& name, const std::string& one, const std::string& other);
  void merge(const Metrics& other);
  void merge_new(const Metrics& other);        // only what has a name of its own
  std::map<std::string, double> read() const;  // sum / count; NaN where the count is 0

 private:
  enum class Kind { mean, least, greatest };
  struct Value {
    Kind kind = Kind::mean;
    Tensor sum = {}, counted = {};  // `sum` of an extreme: the extreme
    double count = 0;               // beside what is counted on the device
  };
  void add(const std::string& name, const Value& value);
  std::map<std::string, Value> values_;
  std::map<std::string, std::pair<std::string, std::string>> differences_;
};

struct Loss {
  std::vector<Term> terms = {};
  Metrics metrics = {};
};

// The denominators of one optimiser step.
class Counts {
 public:
  void add(const Batch& batch);
  void add(const Counts& other);
  double of(const Term& term) const;  // 0 where the step holds nothing of that kind

 private:
  double pairs_ = 0, groups_ = 0, records_ = 0, labels_ = 0;
  std::array<double, role_count> responses_{}, tokens_{};
};

// The scalar whose gradient is accumulated: sum over terms of weight * sum / count.
Tensor total(const Loss& loss, const Counts& counts);

}  // namespace attune
