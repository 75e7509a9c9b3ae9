// Lists of chat messages ({role, content, ...}, or ShareGPT's {from, value}) and chains of nodes in a record.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/data/format.h"

namespace attune::formats {

enum class Dialect {
  openai,    // role, content
  sharegpt,  // from, value
};

// Reads a list of messages; problems go to the context under `field`. Members that no one knows, and those whose
// canonical form would differ, are kept in Message::extra_json. Content other than text is refused.
std::vector<Message> read_messages(const Json& list, std::string_view raw, const std::string& field,
                                   RowContext& context, Dialect dialect = Dialect::openai);
std::string write_messages(const std::vector<const Message*>& messages, Dialect dialect = Dialect::openai);

// A list whose first item has a `role`: TRL's test for the conversational form. An empty list is none.
bool is_conversation(const Json* value);

Message plain_message(std::string text);

// Appends the messages as a chain below `parent`; the index of the last (or `parent` for none).
std::int32_t append_chain(Record& record, std::int32_t parent, std::vector<Message> messages);

// An answer must say something: reports an empty or blank one, and one whose last message is not the assistant's.
void check_answer(const std::vector<Message>& answer, const std::string& field, RowContext& context);

// Whether all messages are plain text, or none is. A mixture has no row in any of TRL's formats.
enum class Form { plain, conversation, mixed };
Form form_of(const std::vector<const Message*>& messages);

// Messages of either form as a column: the text, or the list.
std::string write_column(const std::vector<const Message*>& messages, Form form);

}  // namespace attune::formats
