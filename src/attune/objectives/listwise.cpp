#include "attune/objectives/listwise.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/exp2.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log1p.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace attune::objectives {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Responses of each list, padded with response 0 and -1 for "none" in `flat`.
struct Places {
  std::vector<std::int64_t> flat = {};  // [G * K]
  std::int64_t lists = 0, longest = 1;
};

Places places_of(const Responses& responses) {
  Places places;
  if (!responses.groups.index.defined()) return places;
  const Tensor index = responses.groups.index.to(at::kCPU).contiguous();
  std::vector<std::vector<std::int64_t>> members(static_cast<std::size_t>(responses.groups.count));
  for (std::int64_t i = 0; i < responses.size(); ++i) {
    const std::int64_t group = index.const_data_ptr<std::int64_t>()[i];
    if (group < 0 || responses.roles[static_cast<std::size_t>(i)] != ResponseRole::ranked) continue;
    members[static_cast<std::size_t>(group)].push_back(i);
  }
  std::erase_if(members, [](const auto& list) { return list.empty(); });
  for (const auto& list : members) places.longest = std::max(places.longest, std::ssize(list));
  places.lists = std::ssize(members);
  for (auto& list : members) {
    list.resize(static_cast<std::size_t>(places.longest), -1);
    places.flat.insert(places.flat.end(), list.begin(), list.end());
  }
  return places;
}

// log of the sum of exp(scores_j) over the answers j that `members` [G, K, K] names for each i; finite where it names
// none, for the answers that are not valid.
Tensor log_sum(const Tensor& scores, const Tensor& members) {
  const Tensor terms = scores.unsqueeze(1).expand(members.sizes());
  const Tensor sums = at::where(members, terms, -infinity);
  const Tensor any = members.any(2, /*keepdim=*/true);
  return at::logsumexp(at::where(any, sums, 0), 2);
}

Tensor pairs_of(const Tensor& valid) { return valid.unsqueeze(2).logical_and(valid.unsqueeze(1)); }

}  // namespace

Tensor Lists::wins() const {
  return (labels.unsqueeze(2) > labels.unsqueeze(1)).logical_and(pairs_of(valid)).to(labels.scalar_type());
}
Tensor Lists::size() const { return valid.sum(1).to(labels.scalar_type()); }
Tensor Lists::masked(const Tensor& values) const { return at::where(valid, values, 0); }

std::vector<std::int32_t> scored_completions(const RecordView& record) {
  std::vector<std::int32_t> result;
  for (std::size_t i = 0; i < record.labels.size(); ++i) {
    if (!std::isnan(record.labels[i].score)) result.push_back(static_cast<std::int32_t>(i));
  }
  return result;
}

bool ranks(const RecordView& record, std::span<const std::int32_t> completions) {
  const auto score = [&](std::int32_t i) { return record.labels[static_cast<std::size_t>(i)].score; };
  return std::any_of(completions.begin(), completions.end(),
                     [&](std::int32_t i) { return score(i) != score(completions.front()); });
}

void lay_out_list(const RecordView& record, std::span<const std::int32_t> completions, Layout& layout) {
  std::vector<std::int64_t> members;
  for (const std::int32_t i : completions) members.push_back(layout.add(record, i, ResponseRole::ranked));
  layout.group(members);
}

Lists ranked_lists(const Responses& responses) {
  const Places places = places_of(responses);
  const Tensor index =
      at::tensor(places.flat, at::kLong).to(responses.logps.device()).view({places.lists, places.longest});
  Lists lists{.valid = index >= 0};
  const auto rows = [&](const Tensor& column) {
    return lists.masked(column.index_select(0, index.clamp_min(0).view({-1})).view(index.sizes()));
  };
  lists.labels = rows(responses.scores);
  lists.logps = rows(responses.logps);
  lists.behaviour = rows(responses.behaviour_logps);
  lists.lengths = at::where(lists.valid, rows(responses.lengths), 1);
  return lists;
}

Lists ranked_lists(const Responses& responses, const char* reference) {
  Lists lists = ranked_lists(responses);
  Responses other = responses;
  other.logps = responses.model(reference).logps;
  lists.reference = ranked_lists(other).logps;
  return lists;
}

Tensor unit_labels(const Lists& lists) {
  const Tensor low = at::where(lists.valid, lists.labels, infinity).amin(1, true);
  const Tensor high = at::where(lists.valid, lists.labels, -infinity).amax(1, true);
  return lists.masked((lists.labels - low) / (high - low));
}

Tensor lambda_weights(const Lists& lists, const Tensor& labels, const Tensor& scores) {
  const at::AutoGradMode no_gradient(false);
  const Tensor order = at::argsort(at::where(lists.valid, scores.detach(), -infinity), /*stable=*/true, 1, true);
  const Tensor places = at::arange(1, scores.size(1) + 1, scores.options()).expand(scores.sizes());
  const Tensor rank = at::empty_like(places, at::MemoryFormat::Contiguous).scatter(1, order, places);
  const Tensor gain = at::exp2(labels) - 1, discount = 1 / at::log1p(rank);
  const auto gaps = [](const Tensor& x) { return at::abs(x.unsqueeze(2) - x.unsqueeze(1)); };
  return gaps(gain) * gaps(discount);
}

Tensor plackett_luce(const Lists& lists, const Tensor& scores, Ties ties) {
  const Tensor mine = lists.labels.unsqueeze(2), theirs = lists.labels.unsqueeze(1), pairs = pairs_of(lists.valid);
  Tensor left = log_sum(scores, (theirs <= mine).logical_and(pairs));  // answers that are not better
  if (ties == Ties::efron) {
    const Tensor tied = (theirs == mine).logical_and(pairs);
    const Tensor count = tied.sum(2).clamp_min(1).to(scores.scalar_type());
    const Tensor gone = tied.tril(-1).sum(2).to(scores.scalar_type());  // of the tie, before this one
    left = left + at::log1p(-gone / count * (log_sum(scores, tied) - left).exp());
  }
  return lists.masked(left - scores).sum(1);
}

void add_list_metrics(Metrics& metrics, const Lists& lists, const Tensor& rewards) {
  const Tensor wins = lists.wins(), gaps = (rewards.unsqueeze(2) - rewards.unsqueeze(1)).detach();
  const auto type = gaps.scalar_type();
  const Tensor comparisons = wins.sum();
  metrics.add("rewards/accuracies", (wins * ((gaps > 0).to(type) + 0.5 * (gaps == 0).to(type))).sum(), comparisons);
  metrics.add("rewards/margins", (wins * gaps).sum(), comparisons);
}

}  // namespace attune::objectives
