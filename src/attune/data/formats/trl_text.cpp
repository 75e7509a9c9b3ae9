// TRL's standard language-modelling rows: a text to continue, learnt from its first token.
#include "attune/data/formats/columns.h"
#include "attune/data/formats/messages.h"
#include "attune/data/formats/prompted.h"

namespace attune::formats {
namespace {

class TrlText final : public Format {
 public:
  double recognises(const Row& row) const override {
    if (row.value.find("text") == nullptr) return 0;
    for (const char* other : {"prompt", "completion", "chosen", "messages", "conversations", "nodes"}) {
      if (row.value.find(other) != nullptr) return 0.2;
    }
    return 0.8;
  }

  std::string columns() const override { return "text"; }

  std::optional<Record> read(const Row& row, RowContext& context) const override {
    Columns columns(row, context);
    const Json* text = columns.require("text", "a string");
    if (text == nullptr) return std::nullopt;
    Record record;
    if (text->is_string()) {
      std::vector<Message> messages{plain_message(text->string())};
      check_answer(messages, "text", context);
      record.completions.push_back({-1, append_chain(record, -1, std::move(messages))});
    } else {
      context.fail_type("text", *text, "a string");
    }
    columns.finish(record);
    if (context.failed()) return std::nullopt;
    return record;
  }

  std::vector<std::string> write(const Record& record, const Dataset& dataset) const override {
    std::vector<std::string> rows;
    for (const std::int32_t completion : answers_to_learn(record)) {
      const auto path = path_to(record, record.completions[completion].last);
      if (form_of(path) != Form::plain) continue;
      RowText row;
      row.set("text", write_column(path, Form::plain));
      rows.push_back(row.finish(record, layout_of(record, dataset, "trl-text")));
    }
    return rows;
  }
};

}  // namespace

ATTUNE_PART(Format, trl_text, TrlText, .summary = "a plain text to learn from (TRL)");

}  // namespace attune::formats
