#include "attune/migrate/shell.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

TEST(Shell, QuotesContinuationsCommentsAndRedirectionsAreReadAsAShellDoes) {
  const auto commands =
      shell_commands("# a comment\nset -e\na --x 'b c' \\\n  --y=\"d \\\"e\\\"\" f\\ g > log 2>&1\nh#i; j | k\n", "f");
  ASSERT_EQ(commands.size(), 5u);
  EXPECT_EQ(commands[1].words, (std::vector<std::string>{"a", "--x", "b c", "--y=d \"e\"", "f g"}));
  EXPECT_EQ(commands[1].line, 3);
  EXPECT_EQ(commands[2].words, std::vector<std::string>{"h#i"});
  EXPECT_EQ(commands[4].words, std::vector<std::string>{"k"});
}

TEST(Shell, VariablesOfTheTextAreFilledInAndOthersNamed) {
  const auto commands =
      shell_commands("export M=\"a b\"\nN=c\nX=1 run \"$M\" ${N}d ${O:-e}\nrun $X '$X'\nrun `date` $(date)\n", "f");
  ASSERT_EQ(commands.size(), 3u);
  EXPECT_EQ(commands[0].words, (std::vector<std::string>{"run", "a b", "cd", "e"}));
  EXPECT_EQ(commands[0].unresolved, "");
  EXPECT_EQ(commands[1].unresolved, "$X");
  EXPECT_EQ(commands[2].unresolved, "`...`");
}

TEST(Shell, AQuoteThatIsNotClosedIsRefusedWhereItOpens) {
  try {
    shell_commands("a\nb 'c\nd", "run.sh");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "run.sh:2: found a quote that is not closed");
  }
}

}  // namespace
}  // namespace attune
