// TRL's prompt-completion rows: one answer to learn from, as a text or as a list of messages.
#include "attune/data/formats/columns.h"
#include "attune/data/formats/messages.h"
#include "attune/data/formats/prompted.h"

namespace attune::formats {
namespace {

class TrlPromptCompletion final : public Format {
 public:
  double recognises(const Row& row) const override {
    if (row.value.find("completion") == nullptr) return 0;
    if (row.value.find("label") != nullptr) return 0.6;
    return row.value.find("prompt") != nullptr ? 0.9 : 0.5;
  }

  std::string columns() const override { return "prompt, completion"; }

  std::optional<Record> read(const Row& row, RowContext& context) const override {
    Columns columns(row, context);
    Record record = read_prompted(columns, context);
    columns.finish(record);
    if (context.failed()) return std::nullopt;
    return record;
  }

  // A record with comparisons gives the answers that were chosen; one without, all of its answers.
  std::vector<std::string> write(const Record& record, const Dataset& dataset) const override {
    const Json layout = layout_of(record, dataset, "trl-prompt-completion");
    std::vector<std::string> rows;
    for (const std::int32_t completion : answers_to_learn(record)) {
      RowText row;
      if (set_prompted(row, record, record.completions[completion])) rows.push_back(row.finish(record, layout));
    }
    return rows;
  }
};

}  // namespace

ATTUNE_PART(Format, trl_prompt_completion, TrlPromptCompletion,
            .summary = "prompt and completion as texts or message lists (TRL)");

}  // namespace attune::formats
