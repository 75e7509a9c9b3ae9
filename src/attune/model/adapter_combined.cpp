// Several adapters as one.
#include "attune/base/errors.h"
#include "attune/model/adapter.h"
#include "attune/model/adapter_layout.h"

namespace attune {

Adapter::Adapter(Family& family, const std::vector<Adapter>& adapters, const std::vector<double>& weights,
                 const Parameters& base) {
  require(!adapters.empty() && adapters.size() == weights.size(), "adapters without a weight each");
  options_ = {.rank = 0, .alpha = 0};
  for (const Adapter& adapter : adapters) {
    if (adapter.options_.magnitudes || !adapter.saved_.empty()) {
      throw ConfigError({.field = "adapters"}, "magnitudes (DoRA) or modules saved whole, whose changes do not add",
                        "adapters of plain factors", "merge such an adapter alone");
    }
    options_.rank += adapter.options_.rank * (adapter.starts_.size() > 0 ? 2 : 1);
    options_.targets.insert(options_.targets.end(), adapter.modules_.begin(), adapter.modules_.end());
  }
  options_.alpha = static_cast<double>(options_.rank);  // the scales go into the factors
  modules_ = match_modules(family, options_.targets);
  options_.targets = modules_;
  make_parameters(family, base);
  const at::NoGradGuard no_grad;
  std::int64_t at = 0;
  const auto add = [&](const Parameters& from, std::int64_t rank, double factor) {
    for (const std::string& path : modules_) {
      if (!from.contains(down_name(path))) continue;
      parameters_.part(down_name(path)).narrow(0, at, rank).copy_(from.part(down_name(path)) * factor);
      parameters_.part(up_name(path)).narrow(1, at, rank).copy_(from.part(up_name(path)));
    }
    at += rank;
  };
  for (std::size_t i = 0; i < adapters.size(); ++i) {
    const Adapter& adapter = adapters[i];
    const double factor = weights[i] * adapter.options_.scale();
    add(adapter.parameters_, adapter.options_.rank, factor);
    if (adapter.starts_.size() > 0) add(adapter.starts_, adapter.options_.rank, -factor);
  }
}

}  // namespace attune
