#include "attune/data/duplicates.h"

#include "unit/data/support.h"

namespace attune {
namespace {

using testing::read_text;

TEST(Duplicates, FaultC13RepeatedAndContradictingPairsAreCounted) {
  const std::string pair = R"({"prompt":"p","chosen":"y","rejected":"n"})"
                           "\n";
  const std::string swapped = R"({"prompt":"p","chosen":"n","rejected":"y"})"
                              "\n";
  const std::string other = R"({"prompt":"q","chosen":"n","rejected":"y"})"
                            "\n";
  const auto counts = count_duplicates(read_text(pair + pair + swapped + other).dataset);
  EXPECT_EQ(counts.repeated, 1);
  EXPECT_EQ(counts.conflicting, 1);
}

TEST(Duplicates, VotesOfDifferentPeopleAreNoDuplicates) {
  const auto vote = [](const char* who, const char* outcome) {
    return std::string(R"({"comparison":{"a":{"completion":0},"b":{"completion":1},"outcome":")") + outcome +
           R"("},"annotator":")" + who + "\"}";
  };
  const auto read = read_text(
      R"({"nodes":[{"role":"plain","content":"p"},{"role":"plain","content":"y"},{"parent":0,"role":"plain","content":"n"}],"completions":[{"after":0,"last":1},{"after":0,"last":2}],"feedback":[)" +
      vote("x", "a") + "," + vote("y", "b") + "," + vote("y", "a") + "]}");
  ASSERT_EQ(read.report.bad_rows, 0);
  const auto counts = count_duplicates(read.dataset);
  EXPECT_EQ(counts.repeated, 0);
  EXPECT_EQ(counts.conflicting, 1);  // y said both
}

TEST(Duplicates, FaultC13PromptsInTrainingAndEvaluationAreCounted) {
  const auto train = read_text(R"({"prompt":"p","completion":"y"})"
                               "\n"
                               R"({"prompt":"q","completion":"y"})")
                         .dataset;
  const auto held = read_text(R"({"prompt":"q","completion":"n"})"
                              "\n"
                              R"({"prompt":"r","completion":"n"})")
                        .dataset;
  EXPECT_EQ(shared_prompts(train, held), 1);
}

}  // namespace
}  // namespace attune
