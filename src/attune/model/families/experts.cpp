#include "attune/model/families/experts.h"

#include <ATen/ops/bincount.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros_like.h>

#include <tuple>

namespace attune::families {

ExpertsConfig read_experts(const ConfigReader& reader, const ModelConfig& config, const ExpertsDefaults& defaults) {
  ExpertsConfig experts;
  // Newer transformers write either name for the same.
  experts.count = reader.integer(defaults.count_key, reader.integer("num_local_experts", defaults.count));
  experts.a_token = reader.integer("num_experts_per_tok", defaults.a_token);
  if (experts.count < 1 || experts.count > 65536) {
    reader.fail(defaults.count_key, std::to_string(experts.count), "from 1 to 65536");
  }
  if (experts.a_token < 1 || experts.a_token > experts.count) {
    reader.fail("num_experts_per_tok", std::to_string(experts.a_token), "from 1 to the number of experts");
  }
  const double balance = reader.number("router_aux_loss_coef", 0.001);
  experts.balance = reader.boolean("output_router_logits", false) ? balance : 0;
  experts.in_layer.assign(static_cast<std::size_t>(config.layers), true);
  return experts;
}

Experts::Experts(const Weights& weights, const ExpertNames& names)
    : a_token_(weights.config().experts.a_token), normalised_(weights.config().experts.normalised) {
  const ExpertsConfig& config = weights.config().experts;
  router_ = weights.linear("gate", config.count, weights.config().width).weight;
  for (std::int64_t i = 0; i < config.count; ++i) {
    const std::string path = "experts." + std::to_string(i) + ".";
    each_.push_back(weights.gated_feed_forward(path + names.gate, path + names.up, path + names.down, config.width));
  }
}

Experts::Output Experts::operator()(const Tensor& x) const {
  const Tensor probabilities = at::softmax(dense(x, router_, {}), 1);
  const auto [largest, chosen] = at::topk(probabilities, a_token_, 1);
  const Tensor weights = normalised_ ? largest / largest.sum(1, true) : largest;
  Tensor mixed = at::zeros_like(x);
  for (std::size_t i = 0; i < each_.size(); ++i) {
    const Tensor places = at::nonzero(chosen == static_cast<std::int64_t>(i));  // [visits, 2]: token, choice
    if (places.size(0) == 0) continue;
    const Tensor token = places.select(1, 0), choice = places.select(1, 1);
    const Tensor made = each_[i](x.index_select(0, token), {});
    const Tensor weight = weights.flatten().index_select(0, token * a_token_ + choice);
    mixed = mixed.index_add(0, token, made * weight.unsqueeze(1));
  }
  const Tensor counts = at::bincount(chosen.flatten(), {}, static_cast<std::int64_t>(each_.size()));
  return {mixed, at::stack({counts.to(probabilities.scalar_type()), probabilities.sum(0)})};
}

}  // namespace attune::families
