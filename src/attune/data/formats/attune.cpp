// The native form: every field of a record, one row each, after a header row with annotators, scales, rubrics and
// sources. Files put one after the other stay legal.
#include "attune/data/native.h"

#include "attune/data/validate.h"

namespace attune::formats {
namespace {

class Native final : public Format {
 public:
  double recognises(const Row& row) const override {
    if (is_header(row)) return 1;
    const Json* nodes = row.value.find("nodes");
    if (nodes == nullptr || !nodes->is_array()) return 0;
    return row.value.find("completions") != nullptr ? 1 : 0.8;
  }

  std::string columns() const override { return "nodes, completions, feedback"; }

  std::optional<Record> read(const Row& row, RowContext& context) const override {
    if (is_header(row)) {
      read_native_header(row.value, context);
      return std::nullopt;
    }
    if (row.value.find("nodes") == nullptr) context.fail("nodes", "no such column", "a list of nodes");
    auto record = from_native(row, context);
    if (!record) return std::nullopt;
    for (RecordProblem& problem : validate(*record, context.builder().dataset())) {
      context.fail(std::move(problem.field), std::move(problem.found), std::move(problem.expected));
    }
    if (context.failed()) return std::nullopt;
    return record;
  }

  std::vector<std::string> write(const Record& record, const Dataset&) const override { return {to_native(record)}; }

  std::string header(const Dataset& dataset) const override { return native_header(dataset); }

 private:
  static bool is_header(const Row& row) { return row.value.find("attune") != nullptr; }
};

}  // namespace

ATTUNE_PART(Format, attune, Native,
            .summary = "the native form: every field of a record, with annotators, scales and rubrics");

}  // namespace attune::formats
