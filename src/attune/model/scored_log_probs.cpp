#include "attune/model/scored_log_probs.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <optional>

#include "attune/base/errors.h"
#include "attune/base/profile.h"
#include "attune/tensor/held.h"
#include "attune/tensor/in_place.h"
#include "attune/tensor/log_probs.h"
#include "attune/tensor/products.h"
#include "attune/tensor/reference.h"

namespace attune {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Tensor logits_of(const HeadInput& input, std::int64_t begin, std::int64_t end) {
  return input.head.logits(input.hidden.slice(0, begin, end));
}

VocabularyChunk chunk_for(const VocabularyTerm& term, const Tensor& logits, const Tensor& targets,
                          const std::map<std::string, Tensor>& model_logits) {
  VocabularyChunk chunk{.logits = logits, .targets = targets, .model_logits = {}};
  for (const std::string& model : term.models) {
    const auto found = model_logits.find(model);
    require(found != model_logits.end(), "a vocabulary term without its frozen model");
    chunk.model_logits.emplace(model, found->second);
  }
  return chunk;
}

// Frozen models' logits of the rows [begin, end); only those that some term names.
std::map<std::string, Tensor> frozen_logits(const ScoreOptions& options, std::int64_t begin, std::int64_t end) {
  const at::NoGradGuard no_grad;
  std::map<std::string, Tensor> result;
  for (const VocabularyTerm& term : options.vocabulary) {
    for (const std::string& model : term.models) {
      const auto found = options.models.find(model);
      require(found != options.models.end(), "a vocabulary term without its frozen model");
      if (!result.contains(model)) result.emplace(model, logits_of(found->second, begin, end));
    }
  }
  return result;
}

variable_list scored_log_probs_reference(const HeadInput& input, const Tensor& targets, const ScoreOptions& options) {
  const Tensor logits = logits_of(input, 0, targets.size(0));
  variable_list result = {at::log_softmax(logits, 1).gather(1, targets.unsqueeze(1)).squeeze(1)};
  const auto models = frozen_logits(options, 0, targets.size(0));
  for (const VocabularyTerm& term : options.vocabulary) {
    result.push_back(term.reduce(chunk_for(term, logits, targets, models)));
  }
  return result;
}

// What is no tensor of the head, and how it is used.
struct Form {
  ScoreOptions options = {};
  double scale = 1, soft_cap = 0;
  bool differentiated = false;

  // The derivative of the soft cap at capped logits: 1 - (logit / c)^2. Undefined: 1.
  Tensor slope(const Tensor& logits) const {
    return soft_cap > 0 ? (logits / soft_cap).square_().neg_().add_(1) : Tensor();
  }
};

struct ScoredLogProbs : torch::autograd::Function<ScoredLogProbs> {
  static variable_list forward(AutogradContext* context, const Tensor& hidden, const Tensor& weight,
                               const std::optional<Tensor>& bias, const Tensor& targets, const Form& form) {
    const TimeSpan span("head, forward");
    const ScoreOptions& options = form.options;
    const HeadInput input{hidden, {weight, bias.value_or(Tensor()), form.scale, form.soft_cap}};
    const std::int64_t rows = hidden.size(0);
    const Tensor logps = at::empty({rows}, hidden.options()), lse = at::empty({rows}, hidden.options());
    variable_list columns(options.vocabulary.size());
    for (Tensor& column : columns) column = at::empty({rows}, hidden.options());
    std::vector<Tensor> kept;  // the logits of the first chunks
    std::uint64_t room = form.differentiated ? options.head_cache : 0;
    for (std::int64_t begin = 0; begin < rows; begin += options.chunk_rows) {
      const std::int64_t end = std::min(rows, begin + options.chunk_rows);
      const Tensor logits = logits_of(input, begin, end), target = targets.slice(0, begin, end);
      log_probs_of(logits, target, lse.slice(0, begin, end), logps.slice(0, begin, end));
      const auto models = frozen_logits(options, begin, end);
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const VocabularyTerm& term = options.vocabulary[i];
        const Tensor values = term.reduce(chunk_for(term, logits, target, models));
        if (begin == 0 && values.dim() > 1) columns[i] = at::empty({rows, values.size(1)}, hidden.options());
        columns[i].slice(0, begin, end).copy_(values);
      }
      if (logits.nbytes() <= room) {
        room -= logits.nbytes();
        kept.push_back(logits);
      } else {
        room = 0;
      }
    }
    context->set_materialize_grads(false);
    context->save_for_backward({hidden, weight, targets, lse, input.head.bias});
    hold(context, "form", form);
    hold(context, "kept", std::move(kept));
    variable_list result = {logps};
    result.insert(result.end(), columns.begin(), columns.end());
    return result;
  }

  // The gradient of the chunk's columns at its logits: each term runs once more, under autograd. Undefined: none.
  static Tensor column_gradient(const Tensor& logits, const Tensor& targets, const ScoreOptions& options,
                                const variable_list& gradients, std::int64_t begin) {
    const std::int64_t end = begin + logits.size(0);
    const at::AutoGradMode with_grad(true);
    const Tensor leaf = logits.detach().set_requires_grad(true);
    const auto models = frozen_logits(options, begin, end);
    variable_list outputs, outer;
    for (std::size_t i = 0; i < options.vocabulary.size(); ++i) {
      if (!gradients[1 + i].defined()) continue;
      const VocabularyTerm& term = options.vocabulary[i];
      const Tensor column = term.reduce(chunk_for(term, leaf, targets, models));
      if (!column.requires_grad()) continue;  // an accuracy, say
      outputs.push_back(column);
      outer.push_back(gradients[1 + i].slice(0, begin, end));
    }
    if (outputs.empty()) return {};
    return torch::autograd::grad(outputs, {leaf}, outer, std::nullopt, false, true)[0];
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const TimeSpan span("head, backward");
    const variable_list saved = context->get_saved_variables();
    const auto& form = held<Form>(context, "form");
    const ScoreOptions& options = form.options;
    const HeadInput input{saved[0], {saved[1], saved[4], form.scale, form.soft_cap}};
    const Tensor &weight = saved[1], &targets = saved[2], &lse = saved[3];
    auto& kept = held<std::vector<Tensor>>(context, "kept");
    const bool wants_hidden = context->needs_input_grad(0), wants_weight = context->needs_input_grad(1);
    const Tensor d_hidden = wants_hidden ? at::empty_like(input.hidden) : Tensor();
    Tensor d_weight = wants_weight ? gradient_buffer(weight) : Tensor();
    const bool in_place = d_weight.defined();
    if (wants_weight && !in_place) d_weight = at::zeros_like(weight);
    const Tensor d_bias = saved[4].defined() && context->needs_input_grad(2) ? at::zeros_like(saved[4]) : Tensor();
    const Tensor outer = gradients[0].defined() ? gradients[0].contiguous() : at::zeros_like(lse);
    std::size_t chunk = 0;
    for (std::int64_t begin = 0; begin < targets.size(0); begin += options.chunk_rows, ++chunk) {
      const std::int64_t end = std::min(targets.size(0), begin + options.chunk_rows);
      const auto rows = [&](const Tensor& x) { return x.slice(0, begin, end); };
      Tensor d_logits = chunk < kept.size() ? std::move(kept[chunk]) : logits_of(input, begin, end);
      const Tensor more = column_gradient(d_logits, rows(targets), options, gradients, begin);
      const Tensor slope = form.slope(d_logits);
      log_prob_gradient(d_logits, rows(targets), rows(lse), rows(outer));
      if (more.defined()) d_logits.add_(more);
      if (slope.defined()) d_logits.mul_(slope);
      if (form.scale != 1) d_logits.mul_(form.scale);
      if (wants_hidden) {
        Tensor d_rows = rows(d_hidden);
        if (bfloat16_products()) {
          d_rows.copy_(product(d_logits, weight));
        } else {
          at::mm_out(d_rows, d_logits, weight);
        }
      }
      if (wants_weight) add_product(d_weight, d_logits.t(), rows(input.hidden));
      if (d_bias.defined()) d_bias.add_(d_logits.sum(0));
    }
    kept.clear();
    return {d_hidden, in_place ? Tensor() : d_weight, d_bias, Tensor(), Tensor()};
  }
};

}  // namespace

ScoredTokens scored_log_probs(const HeadInput& input, const Tensor& targets, const ScoreOptions& options) {
  require(options.chunk_rows > 0, "chunks of no rows");
  const Head& head = input.head;
  const bool differentiated =
      at::GradMode::is_enabled() && (input.hidden.requires_grad() || head.weight.requires_grad() ||
                                     (head.bias.defined() && head.bias.requires_grad()));
  const std::optional<Tensor> bias = head.bias.defined() ? std::optional(head.bias) : std::nullopt;
  const variable_list columns = reference_operations()
                                    ? scored_log_probs_reference(input, targets, options)
                                    : ScoredLogProbs::apply(input.hidden, head.weight, bias, targets,
                                                            Form{options, head.scale, head.soft_cap, differentiated});
  ScoredTokens result{.logps = columns[0], .vocabulary = {}};
  for (std::size_t i = 0; i < options.vocabulary.size(); ++i) {
    result.vocabulary.emplace(options.vocabulary[i].name, columns[1 + i]);
  }
  return result;
}

}  // namespace attune
