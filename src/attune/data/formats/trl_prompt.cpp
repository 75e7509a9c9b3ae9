// TRL's prompt-only rows: something to answer, for generation and online training.
#include "attune/data/formats/columns.h"
#include "attune/data/formats/messages.h"
#include "attune/data/formats/prompted.h"

namespace attune::formats {
namespace {

class TrlPrompt final : public Format {
 public:
  double recognises(const Row& row) const override { return row.value.find("prompt") != nullptr ? 0.3 : 0; }

  std::string columns() const override { return "prompt"; }

  std::optional<Record> read(const Row& row, RowContext& context) const override {
    Columns columns(row, context);
    Record record;
    read_prompt(columns, context, record);
    columns.finish(record);
    if (context.failed()) return std::nullopt;
    return record;
  }

  // The prompt of the record's completions, or all of its messages where it has none.
  std::vector<std::string> write(const Record& record, const Dataset& dataset) const override {
    if (record.nodes.empty()) return {};
    const auto last = record.completions.empty() ? static_cast<std::int32_t>(record.nodes.size()) - 1
                                                 : record.completions.front().after;
    const auto prompt = path_to(record, last);
    const Form form = form_of(prompt);
    if (prompt.empty() || form == Form::mixed) return {};
    RowText row;
    row.set("prompt", write_column(prompt, form));
    return {row.finish(record, layout_of(record, dataset, "trl-prompt"))};
  }
};

}  // namespace

ATTUNE_PART(Format, trl_prompt, TrlPrompt, .summary = "a prompt alone, as a text or a message list (TRL)");

}  // namespace attune::formats
