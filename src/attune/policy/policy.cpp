#include "attune/policy/policy.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>

#include "attune/base/errors.h"
#include "attune/policy/loss.h"
#include "attune/tensor/device.h"

namespace attune {
namespace {

template <class T>
void merge_by_name(std::vector<T>& into, const std::vector<T>& from) {
  for (const T& item : from) {
    const bool known = std::any_of(into.begin(), into.end(), [&](const T& other) { return other.name == item.name; });
    if (!known) into.push_back(item);
  }
}

Tensor index_tensor(const std::vector<std::int64_t>& values, const Tensor& like) {
  return moved(at::tensor(values, at::TensorOptions(at::kLong)), like.device());
}

Tensor value_tensor(const std::vector<double>& values, const Tensor& like) {
  return moved(at::tensor(values, at::TensorOptions(at::kDouble)).to(like.scalar_type()), like.device());
}

}  // namespace

bool Needs::needs_model(std::string_view role) const {
  return std::find(models.begin(), models.end(), role) != models.end();
}

bool Needs::only_sums() const {
  return !reward && !tokens && !whole && !activations && vocabulary.empty() && heads.empty();
}

std::vector<std::string> Needs::frozen_models() const {
  Needs all = *this;
  for (const auto& term : vocabulary) all.merge({.models = term.models});
  const auto masks = [](const HeadSpec& head) { return head.kind == HeadKind::layer_mask; };
  if (activations || std::any_of(heads.begin(), heads.end(), masks)) all.merge({.models = {"reference"}});
  return all.models;
}

void Needs::merge(const Needs& other) {
  const auto refuse = [](const char* what) {
    throw ConfigError({.field = "objective"}, std::string("objectives with different ") + what, "the same for all",
                      "train them in stages");
  };
  if (reward && other.reward && *reward != *other.reward) refuse("heads");
  if (!labels.empty() && !other.labels.empty() && labels != other.labels) refuse("labels");
  if (other.reward) reward = other.reward;
  if (!other.labels.empty()) labels = other.labels;
  for (const auto& role : other.models) {
    if (!needs_model(role)) models.push_back(role);
  }
  merge_by_name(vocabulary, other.vocabulary);
  merge_by_name(heads, other.heads);
  tokens = tokens || other.tokens;
  activations = activations || other.activations;
  if (other.statistics) gathered = statistics ? gathered | other.gathered : other.gathered;
  statistics = statistics || other.statistics;
  probes = probes || other.probes;
  whole = whole || other.whole;
  reference_answers = reference_answers || other.reference_answers;
  rationales = rationales || other.rationales;
}

std::string_view name(ResponseRole role) {
  static constexpr std::array<std::string_view, role_count> names = {"chosen",    "rejected", "self_sample",
                                                                     "rationale", "kl_probe", "reference_answer",
                                                                     "ranked",    "sequence", "variant"};
  return names[static_cast<std::size_t>(role)];
}

const ModelColumns& Responses::model(std::string_view role) const {
  const auto found = models.find(std::string(role));
  require(found != models.end(), "an objective reads the model '" + std::string(role) + "' that its needs do not name");
  return found->second;
}

Tensor Responses::indices_of(ResponseRole role) const {
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (roles[i] == role) indices.push_back(static_cast<std::int64_t>(i));
  }
  return index_tensor(indices, lengths);
}

Batch Batch::with(Roles roles) const {
  Batch result{.records = records};
  std::vector<std::int64_t> kept, place(responses.size(), -1);  // response -> its place in the result
  for (std::size_t i = 0; i < responses.size(); ++i) {
    if (!roles.has(responses[i].role)) continue;
    place[i] = std::ssize(kept);
    kept.push_back(static_cast<std::int64_t>(i));
    result.responses.push_back(responses[i]);
  }
  const auto place_of = [&](std::int64_t response) { return place[static_cast<std::size_t>(response)]; };
  for (PlannedPair pair : pairs) {
    pair.chosen = place_of(pair.chosen);
    pair.rejected = place_of(pair.rejected);
    if (pair.chosen >= 0 && pair.rejected >= 0) result.pairs.push_back(pair);
  }
  if (!group.empty()) {
    std::map<std::int64_t, std::int64_t> whole;  // groups that keep all their responses -> their new number
    for (const std::int64_t number : group) whole.try_emplace(number, 0);
    whole.erase(-1);
    for (std::size_t i = 0; i < responses.size(); ++i) {
      if (place[i] < 0) whole.erase(group[i]);
    }
    std::int64_t count = 0;
    for (auto& [number, renumbered] : whole) renumbered = count++;
    for (const std::int64_t i : kept) {
      const auto found = whole.find(group[static_cast<std::size_t>(i)]);
      result.group.push_back(found != whole.end() ? found->second : -1);
    }
    if (count == 0) result.group.clear();
  }
  for (const auto& [role, column] : known_logps) {
    result.known_logps[role] = column.index_select(0, index_tensor(kept, column));
  }
  return result;
}

Responses Batch::skeleton(const Tensor& like) const {
  Responses result;
  std::vector<double> lengths, scores, weights, behaviour_logps, labels;
  std::size_t columns = 0;
  std::vector<std::int64_t> levels;
  for (const auto& response : responses) {
    result.roles.push_back(response.role);
    result.keys.push_back({response.record, response.completion});
    lengths.push_back(static_cast<double>(response.tokens));
    scores.push_back(response.labels.score);
    weights.push_back(response.labels.weight);
    behaviour_logps.push_back(response.labels.behaviour_logp);
    levels.push_back(response.labels.level);
    columns = std::max(columns, response.labels.columns.size());
  }
  result.lengths = value_tensor(lengths, like);
  result.scores = value_tensor(scores, like);
  result.weights = value_tensor(weights, like);
  result.behaviour_logps = value_tensor(behaviour_logps, like);
  result.levels = index_tensor(levels, like);
  if (columns > 0) {
    for (const auto& response : responses) {
      const auto& said = response.labels.columns;
      if (said.empty()) labels.insert(labels.end(), columns, std::numeric_limits<double>::quiet_NaN());
      labels.insert(labels.end(), said.begin(), said.end());
    }
    result.labels = value_tensor(labels, like).view({-1, static_cast<std::int64_t>(columns)});
  }
  std::vector<std::int64_t> chosen, rejected;
  std::vector<double> margin, weight, probability, votes;
  for (const auto& pair : pairs) {
    chosen.push_back(pair.chosen);
    rejected.push_back(pair.rejected);
    margin.push_back(pair.margin);
    weight.push_back(pair.weight);
    probability.push_back(pair.probability);
    votes.insert(votes.end(), pair.votes.begin(), pair.votes.end());
  }
  result.pairs = {
      index_tensor(chosen, like),      index_tensor(rejected, like),
      value_tensor(margin, like),      value_tensor(weight, like),
      value_tensor(probability, like), value_tensor(votes, like).view({-1, static_cast<std::int64_t>(vote_kinds)})};
  if (!group.empty()) {
    result.groups.index = index_tensor(group, like);
    result.groups.count = *std::max_element(group.begin(), group.end()) + 1;
  }
  return result;
}

void Metrics::add(const std::string& name, const Value& added) {
  const auto sum_of = [](const Tensor& a, const Tensor& b) { return !a.defined() ? b : !b.defined() ? a : a + b; };
  const auto [known, is_new] = values_.try_emplace(name, added);
  if (is_new) return;
  Value& value = known->second;
  if (added.kind != Kind::mean) {
    value.sum = added.kind == Kind::least ? at::minimum(value.sum, added.sum) : at::maximum(value.sum, added.sum);
    return;
  }
  value.sum = sum_of(value.sum, added.sum);
  value.counted = sum_of(value.counted, added.counted);
  value.count += added.count;
}

void Metrics::add(const std::string& name, const Tensor& sum, double count) {
  add(name, Value{.sum = sum.detach(), .count = count});
}

void Metrics::add(const std::string& name, const Tensor& sum, const Tensor& count) {
  add(name, Value{.sum = sum.detach(), .counted = count.detach()});
}

void Metrics::add_least(const std::string& name, const Tensor& value) {
  add(name, Value{.kind = Kind::least, .sum = value.detach(), .count = 1});
}

void Metrics::add_greatest(const std::string& name, const Tensor& value) {
  add(name, Value{.kind = Kind::greatest, .sum = value.detach(), .count = 1});
}

void Metrics::add_difference(const std::string& name, const std::string& one, const std::string& other) {
  differences_[name] = {one, other};
}

void Metrics::merge(const Metrics& other) {
  for (const auto& [name, value] : other.values_) add(name, value);
  differences_.insert(other.differences_.begin(), other.differences_.end());
}

void Metrics::merge_new(const Metrics& other) {
  values_.insert(other.values_.begin(), other.values_.end());
  differences_.insert(other.differences_.begin(), other.differences_.end());
}

std::map<std::string, double> Metrics::read() const {
  std::map<std::string, double> means;
  for (const auto& [name, value] : values_) {
    const double count = value.count + (value.counted.defined() ? value.counted.item<double>() : 0);
    means[name] = count > 0 ? value.sum.item<double>() / count : std::numeric_limits<double>::quiet_NaN();
  }
  for (const auto& [name, sides] : differences_) {
    const auto one = means.find(sides.first), other = means.find(sides.second);
    if (one != means.end() && other != means.end()) means.try_emplace(name, one->second - other->second);
  }
  return means;
}

void Counts::add(const Batch& batch) {
  pairs_ += static_cast<double>(batch.pairs.size());
  records_ += static_cast<double>(batch.records);
  if (!batch.group.empty())
    groups_ += static_cast<double>(*std::max_element(batch.group.begin(), batch.group.end()) + 1);
  for (const auto& response : batch.responses) {
    const auto role = static_cast<std::size_t>(response.role);
    responses_[role] += 1;
    tokens_[role] += static_cast<double>(response.tokens);
    for (const double label : response.labels.columns) labels_ += std::isnan(label) ? 0 : 1;
  }
}

void Counts::add(const Counts& other) {
  pairs_ += other.pairs_;
  groups_ += other.groups_;
  records_ += other.records_;
  labels_ += other.labels_;
  for (std::size_t i = 0; i < role_count; ++i) {
    responses_[i] += other.responses_[i];
    tokens_[i] += other.tokens_[i];
  }
}

double Counts::of(const Term& term) const {
  const auto by_role = [&](const std::array<double, role_count>& counts) {
    double sum = 0;
    for (std::size_t i = 0; i < role_count; ++i) {
      if (term.role.empty() || term.role.has(static_cast<ResponseRole>(i))) sum += counts[i];
    }
    return sum;
  };
  switch (term.per) {
    case Per::response:
      return by_role(responses_);
    case Per::token:
      return by_role(tokens_);
    case Per::pair:
      return pairs_;
    case Per::group:
      return groups_;
    case Per::record:
      return records_;
    case Per::label:
      return labels_;
    case Per::constant:
      return 1;
  }
  return 1;
}

Tensor total(const Loss& loss, const Counts& counts) {
  Tensor sum;
  for (const Term& term : loss.terms) {
    const double count = counts.of(term);
    // Nothing of that kind in the whole step: its sum is an empty one, which adds zero.
    const Tensor part = term.sum * (count == 0 ? 0 : term.weight / count);
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

}  // namespace attune
