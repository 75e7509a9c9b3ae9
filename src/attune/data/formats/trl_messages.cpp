// TRL's conversational language-modelling rows: `messages`, and ShareGPT's `conversations` with from and value.
#include "attune/data/formats/columns.h"
#include "attune/data/formats/messages.h"
#include "attune/data/formats/prompted.h"

namespace attune::formats {
namespace {

bool is_sharegpt(const Json& list) {
  return list.is_array() && list.size() > 0 && list.items().front().find("from") != nullptr;
}

class TrlMessages final : public Format {
 public:
  double recognises(const Row& row) const override {
    const bool messages = row.value.find("messages") != nullptr || row.value.find("conversations") != nullptr;
    return !messages ? 0 : row.value.find("chosen") != nullptr ? 0.4 : 0.9;
  }

  std::string columns() const override { return "messages"; }

  std::optional<Record> read(const Row& row, RowContext& context) const override {
    Columns columns(row, context);
    const bool renamed = !columns.has("messages") && columns.has("conversations");
    const std::string column = renamed ? "conversations" : "messages";
    const Json* list = columns.require(column, "a list of messages");
    if (list == nullptr) return std::nullopt;
    const Dialect dialect = is_sharegpt(*list) ? Dialect::sharegpt : Dialect::openai;
    std::vector<Message> messages = read_messages(*list, columns.raw(column), column, context, dialect);
    if (context.failed()) return std::nullopt;
    check_answer(messages, column, context);
    if (context.failed()) return std::nullopt;
    Record record;
    // The completion begins with the assistant's first message; later user turns lie inside of it.
    std::size_t prompt = 0;
    while (messages[prompt].role != Role::assistant) ++prompt;
    const std::int32_t last = append_chain(record, -1, std::move(messages));
    record.completions.push_back({static_cast<std::int32_t>(prompt) - 1, last});
    columns.finish(
        record, Json::object({{"column", column}, {"dialect", dialect == Dialect::sharegpt ? "sharegpt" : "openai"}}));
    if (context.failed()) return std::nullopt;
    return record;
  }

  std::vector<std::string> write(const Record& record, const Dataset& dataset) const override {
    const Json layout = layout_of(record, dataset, "trl-messages");
    const Json* dialect = layout.find("dialect");
    const Json* column = layout.find("column");
    const bool sharegpt = dialect != nullptr && *dialect == Json("sharegpt");
    std::vector<std::string> rows;
    for (const std::int32_t completion : answers_to_learn(record)) {
      const auto path = path_to(record, record.completions[completion].last);
      if (form_of(path) != Form::conversation) continue;
      RowText row;
      row.set(column != nullptr && column->is_string() ? column->string() : "messages",
              write_messages(path, sharegpt ? Dialect::sharegpt : Dialect::openai));
      rows.push_back(row.finish(record, layout));
    }
    return rows;
  }
};

}  // namespace

ATTUNE_PART(Format, trl_messages, TrlMessages,
            .summary = "whole conversations: messages, or conversations with from and value (TRL)");

}  // namespace attune::formats
