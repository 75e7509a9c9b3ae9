// TRL's unpaired preference rows (KTO, BCO): one answer and whether somebody liked it.
#include "attune/data/formats/columns.h"
#include "attune/data/formats/prompted.h"

namespace attune::formats {
namespace {

const Scale thumb{.name = "thumb", .low = 0, .high = 1, .words = {"down", "up"}};

class TrlUnpaired final : public Format {
 public:
  double recognises(const Row& row) const override {
    const bool completion = row.value.find("completion") != nullptr, label = row.value.find("label") != nullptr;
    if (completion && label) return row.value.find("prompt") != nullptr ? 1 : 0.9;
    return label && row.value.find("prompt") != nullptr ? 0.4 : 0;
  }

  std::string columns() const override { return "prompt, completion, label"; }

  std::optional<Record> read(const Row& row, RowContext& context) const override {
    Columns columns(row, context);
    Record record = read_prompted(columns, context);
    const Json* label = columns.require("label", "true or false");
    if (label != nullptr && !label->is_bool()) context.fail_type("label", *label, "true or false");
    if (context.failed()) return std::nullopt;
    const std::int32_t scale = context.builder().scale(thumb);
    record.feedback.push_back({.what = Rating{"thumb", label->boolean() ? 1.0 : 0.0, scale}, .on = {.completion = 0}});
    columns.finish(record);
    if (context.failed()) return std::nullopt;
    return record;
  }

  // A thumb is its own row; of a comparison the chosen answer is liked and the other one is not.
  std::vector<std::string> write(const Record& record, const Dataset& dataset) const override {
    const Json layout = layout_of(record, dataset, "trl-unpaired");
    std::vector<std::string> rows;
    const auto add = [&](std::int32_t completion, bool liked) {
      RowText row;
      if (!set_prompted(row, record, record.completions[completion])) return;
      row.set("label", liked ? "true" : "false");
      rows.push_back(row.finish(record, layout));
    };
    for (const Feedback& feedback : record.feedback) {
      const auto* rating = std::get_if<Rating>(&feedback.what);
      if (rating == nullptr || rating->attribute != "thumb" || feedback.on.completion < 0) continue;
      add(feedback.on.completion, rating->value > 0.5);
    }
    for (const Pair& pair : pairs(record)) {
      add(pair.chosen, true);
      add(pair.rejected, false);
    }
    return rows;
  }
};

}  // namespace

ATTUNE_PART(Format, trl_unpaired, TrlUnpaired, .summary = "prompt, completion and a boolean label (TRL: KTO, BCO)");

}  // namespace attune::formats
