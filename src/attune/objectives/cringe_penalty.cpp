#include "attune/objectives/cringe_penalty.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "attune/objectives/unpaired.h"

namespace attune::objectives {
namespace {

// One uniform number a scored token, [N]; 0 for tokens that nobody asks about.
Tensor draws(const Responses& responses, const Progress& progress) {
  const Tensor lengths = responses.lengths.to(at::kCPU, at::kDouble).contiguous();
  std::vector<double> values;
  for (std::size_t i = 0; i < responses.keys.size(); ++i) {
    const auto [record, completion] = responses.keys[i];
    Random random(progress.seed, "objective/cringe", {progress.step, record, completion});
    const bool asked = responses.roles[i] == ResponseRole::rejected;
    const auto count = static_cast<std::int64_t>(lengths.const_data_ptr<double>()[i]);
    for (std::int64_t token = 0; token < count; ++token) values.push_back(asked ? random.uniform() : 0);
  }
  return at::tensor(values, at::kDouble).to(responses.logps.options());
}

}  // namespace

void CringePenalty::describe(Fields& fields) {
  fields("k", top, "how many of the most likely other tokens may stand against a bad one").at_least(1);
  fields("detach_positives", detached, "no gradient through the token drawn against a bad one");
}

VocabularyTerm CringePenalty::logits() const {
  const auto reduce = [top = top](const VocabularyChunk& chunk) {
    const Tensor target = chunk.targets.unsqueeze(1);
    const std::int64_t k = std::min<std::int64_t>(top, chunk.logits.size(1) - 1);
    const Tensor others = chunk.logits.scatter(1, target, -std::numeric_limits<double>::infinity());
    return at::cat({chunk.logits.gather(1, target), std::get<0>(at::topk(others, k, 1))}, 1);
  };
  return {.name = "cringe/" + std::to_string(top), .models = {}, .reduce = reduce};
}

Tensor CringePenalty::of_responses(const Responses& responses, const Progress& progress) const {
  const Tensor logits = responses.tokens.vocabulary.at("cringe/" + std::to_string(top));
  const Tensor bad = logits.select(1, 0), others = logits.slice(1, 1);
  const Tensor reached = at::cumsum(at::softmax(others.detach(), 1), 1) <= draws(responses, progress).unsqueeze(1);
  const Tensor drawn = reached.sum(1, true).clamp_max(others.size(1) - 1);
  const Tensor good = (detached ? others.detach() : others).gather(1, drawn).squeeze(1);
  const Tensor mine = mask_of(responses, ResponseRole::rejected).index_select(0, responses.tokens.response);
  return at::zeros({responses.size()}, logits.options())
      .index_add(0, responses.tokens.response, mine * at::softplus(bad - good));
}

}  // namespace attune::objectives
