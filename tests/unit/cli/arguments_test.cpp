#include "attune/cli/arguments.h"

#include <gtest/gtest.h>

#include "attune/base/errors.h"

namespace attune {
namespace {

Arguments parse(std::vector<std::string> words) { return Arguments("verb", std::move(words)); }

std::string error_of(Arguments arguments) {
  try {
    arguments.option("--model");
    arguments.flag("--json");
    arguments.rest(0, 1, "PATH");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(Arguments, TakesOptionsInBothSpellingsAndKeepsTheRestInOrder) {
  Arguments arguments = parse({"dpo", "--model", "a", "run.yaml", "--stop=x", "--stop", "y", "lr=1", "--json"});
  EXPECT_EQ(arguments.option("--model"), "a");
  EXPECT_EQ(arguments.every("--stop"), (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(arguments.flag("--json"));
  EXPECT_EQ(arguments.rest(2, 9, "..."), (std::vector<std::string>{"dpo", "run.yaml", "lr=1"}));
}

TEST(Arguments, NumbersAreChecked) {
  EXPECT_EQ(parse({"--n", "4"}).integer("--n", 1), 4);
  EXPECT_EQ(parse({}).number("--t", 0.5), 0.5);
  EXPECT_THROW(parse({"--n", "4x"}).integer("--n", 1), UsageError);
}

TEST(Arguments, AnUnknownOptionIsRefusedWithTheNearestSpelling) {
  EXPECT_EQ(error_of(parse({"--modle", "x"})),
            "found the unknown option --modle; expected --model; see 'attune verb --help'");
  EXPECT_EQ(error_of(parse({"a", "b"})), "found 'b', a word too many; expected PATH; see 'attune verb --help'");
  EXPECT_EQ(error_of(parse({"--model"})), "found no value after --model; see 'attune verb --help'");
}

TEST(Arguments, WordsBehindTwoDashesArePlainAndOneDashIsAPath) {
  Arguments arguments = parse({"-", "--", "--json"});
  EXPECT_FALSE(arguments.flag("--json"));
  EXPECT_EQ(arguments.rest(0, 2, ""), (std::vector<std::string>{"-", "--json"}));
}

}  // namespace
}  // namespace attune
