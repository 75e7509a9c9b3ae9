#include "attune/curate/operator.h"

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/config/read.h"

namespace attune {
namespace {

Json options_of(const Choice<Operator>& chosen) {
  return save_fields([&](Fields& fields) { chosen.row()->part->describe(*chosen, fields); });
}

}  // namespace

bool asks_for_writer(const OperatorList& operators) {
  return std::any_of(operators.begin(), operators.end(),
                     [](const auto& chosen) { return chosen->writer_settings() != nullptr; });
}

void open_writers(const OperatorList& operators, const OpenWriter& open) {
  for (const Choice<Operator>& chosen : operators) {
    if (const WriterSettings* settings = chosen->writer_settings()) chosen->take_writer(open(*settings));
  }
}

Json OperatorStep::json() const {
  Json counted = Json::object();
  for (const auto& [what, times] : counts) counted.set(what, times);
  return Json::object({{"operator", name},
                       {"options", options},
                       {"in", in},
                       {"out", out},
                       {"counts", std::move(counted)},
                       {"findings", findings}});
}

Curated apply_operators(Dataset dataset, const OperatorList& operators, std::uint64_t seed) {
  Curated result{.dataset = std::move(dataset)};
  for (const Choice<Operator>& chosen : operators) {
    OperatorStep step{
        .name = std::string(chosen.name()), .options = options_of(chosen), .in = std::ssize(result.dataset.records)};
    chosen->observe(result.dataset);
    std::vector<Record> records = std::move(result.dataset.records);
    result.dataset.records.clear();
    Sink sink(result.dataset);
    chosen->apply(records, {.seed = seed, .first = 0}, sink);
    step.counts = sink.counts();
    step.findings = chosen->findings();
    result.dataset = sink.finish();
    for (Source& source : result.dataset.sources) source.chain.push_back(step.name);
    step.out = std::ssize(result.dataset.records);
    if (step.out == 0) {
      throw DataError({.field = "curate." + step.name}, "no record left of " + std::to_string(step.in),
                      "at least one record");
    }
    result.steps.push_back(std::move(step));
  }
  return result;
}

}  // namespace attune
