// Where a record's context stands in what models read.
#include "attune/train/context.h"

#include <gtest/gtest.h>

#include "attune/base/errors.h"

namespace attune {
namespace {

Record conversation() {
  Record record{.context = "Be brief."};
  const auto say = [&](std::int32_t parent, Role role, const char* text) {
    Node node{.parent = parent, .message = {.role = role}};
    node.message.content.push_back({.text = text});
    record.nodes.push_back(node);
  };
  say(-1, Role::system, "You help.");
  say(0, Role::user, "Hi");
  say(1, Role::assistant, "Hello.");
  say(2, Role::user, "Why?");
  say(3, Role::assistant, "So.");
  say(3, Role::assistant, "Because of many things.");
  record.completions = {{3, 4}, {3, 5}};
  return record;
}

TEST(Context, StandsBeforeTheFirstOrAfterTheLastMessageAndNotInTheSystemsOne) {
  const Record record = conversation();
  const Completion& answer = record.completions[0];
  EXPECT_EQ(prompt_text(with_context(record, ContextUse::after), answer), "You help.HiHello.Why?\n\nBe brief.");
  EXPECT_EQ(prompt_text(with_context(record, ContextUse::before), answer), "You help.Be brief.\n\nHiHello.Why?");
  EXPECT_EQ(with_context(record, ContextUse::ignore), record);
  for (const Completion& one : record.completions) {  // stated once, and never in an answer
    EXPECT_EQ(completion_text(with_context(record, ContextUse::after), one), completion_text(record, one));
  }
}

TEST(Context, OfARecordWithoutOneChangesNothingAndWithoutAPromptIsRefused) {
  Record record = conversation();
  record.context.clear();
  EXPECT_EQ(with_context(record, ContextUse::after), record);
  Record alone{.context = "Be brief."};
  alone.nodes.push_back({.message = {.content = {{.text = "So."}}}});
  alone.completions = {{-1, 0}};
  EXPECT_THROW(with_context(alone, ContextUse::after), DataError);
}

}  // namespace
}  // namespace attune
