#include "attune/model/families/pre_norm_block.h"

namespace attune::families {

Residual PreNormBlock::operator()(std::size_t layer, const Residual& x, const BlockContext& context) const {
  const auto [input, sum] = before(x);
  const Heads heads = attention.split(qkv(input, context.adapted), context.angles);
  const Tensor attended = out(attend(context, layer, heads, attention.form), context.kept_adapted());
  const auto [inner, middle] = after({context.kept(sum), attended});
  return {middle, feed_forward(inner, context.kept_adapted())};
}

}  // namespace attune::families
