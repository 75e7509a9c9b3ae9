#include "attune/tensor/adamw_pieces.h"

#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>

#include <cmath>
#include <map>
#include <optional>

namespace attune {

void update_plainly(const AdamWPiece& piece, const AdamWUpdate& update) {
  const auto t = static_cast<double>(update.step);
  const double rate = update.learning_rate / (1 - std::pow(update.beta1, t));
  const double inverse_root = 1 / std::sqrt(1 - std::pow(update.beta2, t));
  const Tensor gradient = update.scale == 1 ? piece.gradient : piece.gradient * update.scale;
  piece.first.mul_(update.beta1).add_(gradient, 1 - update.beta1);
  piece.second.mul_(update.beta2).addcmul_(gradient, gradient, 1 - update.beta2);
  const Tensor below = piece.second.sqrt().mul_(inverse_root).add_(update.epsilon);
  if (piece.weight_decay != 0) piece.parameter.mul_(1 - update.learning_rate * piece.weight_decay);
  piece.parameter.addcdiv_(piece.first, below, -rate);
}

void update_fused(const std::vector<AdamWPiece>& pieces, const AdamWUpdate& update) {
  if (pieces.empty()) return;
  const auto numbers = at::TensorOptions(at::kFloat).device(pieces.front().parameter.device());
  const Tensor step = at::full({}, static_cast<double>(update.step), numbers);
  // The kernel divides gradients by what a loss was scaled by.
  const std::optional<Tensor> divisor =
      update.scale == 1 ? std::nullopt : std::optional(at::full({}, 1 / update.scale, numbers));
  struct Lists {
    std::vector<Tensor> parameters, gradients, firsts, seconds, steps;
  };
  std::map<double, Lists> by_decay;
  for (const AdamWPiece& piece : pieces) {
    Lists& lists = by_decay[piece.weight_decay];
    lists.parameters.push_back(piece.parameter);
    lists.gradients.push_back(piece.gradient);
    lists.firsts.push_back(piece.first);
    lists.seconds.push_back(piece.second);
    lists.steps.push_back(step);
  }
  for (auto& [decay, lists] : by_decay) {
    at::_fused_adamw_(lists.parameters, lists.gradients, lists.firsts, lists.seconds, {}, lists.steps,
                      update.learning_rate, update.beta1, update.beta2, decay, update.epsilon, false, false, divisor);
  }
}

void update_pieces(const std::vector<AdamWPiece>& pieces, const AdamWUpdate& update) {
  if (pieces.empty()) return;
  if (pieces.front().parameter.is_cuda()) {
    update_fused(pieces, update);
  } else {
    for (const AdamWPiece& piece : pieces) update_plainly(piece, update);
  }
}

}  // namespace attune
