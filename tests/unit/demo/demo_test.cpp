#include <gmock/gmock.h>

#include <map>
#include <set>

#include "attune/data/validate.h"
#include "attune/demo/domain.h"
#include "attune/demo/generate.h"
#include "attune/demo/taste.h"

namespace attune::demo {
namespace {

const Fact& apple() { return facts().front(); }
const std::string asked = question(apple(), 0);

std::string put(Style style) { return answer(apple(), style); }

TEST(Taste, KindsDisagreeAsDocumentedAndAgreeOnTheRest) {
  const std::string bare = put({}), courteous = put({.courteous_opening = true}), reasoned = put({.reason = true});
  EXPECT_EQ(bare, "The apple is red.");
  EXPECT_GT(taste(Kind::terse, asked, bare), taste(Kind::terse, asked, courteous));
  EXPECT_GT(taste(Kind::terse, asked, bare), taste(Kind::terse, asked, reasoned));
  EXPECT_GT(taste(Kind::polite, asked, courteous), taste(Kind::polite, asked, bare) + 1);
  EXPECT_GT(taste(Kind::thorough, asked, reasoned), taste(Kind::thorough, asked, bare) + 1);
  for (const Kind kind : kinds) {
    EXPECT_GT(taste(kind, asked, bare), taste(kind, asked, put({.wrong = true}))) << name(kind);
    EXPECT_GT(taste(kind, asked, bare), taste(kind, asked, put({.hedged = true}))) << name(kind);
    EXPECT_GT(taste(kind, asked, bare), taste(kind, asked, put({.rude = true}))) << name(kind);
  }
  // The direction that all of them together pull in.
  EXPECT_GT(population_taste(asked, put({.courteous_opening = true, .reason = true})),
            population_taste(asked, bare) + 0.5);
}

TEST(Taste, EveryAnswerOfThisWorldIsCleanText) {
  for (const Fact& fact : facts()) {
    for (int bits = 0; bits < 128; ++bits) {
      const Style style{bool(bits & 1),  bool(bits & 2),  bool(bits & 4),  bool(bits & 8),
                        bool(bits & 16), bool(bits & 32), bool(bits & 64), bits % 4};
      const std::string text = answer(fact, style);
      const Features features = features_of(question(fact, bits % questions_per_fact), text);
      ASSERT_EQ(features.degeneration, 0) << text;
      ASSERT_EQ(features.correctness, style.wrong ? -1 : 1) << text;
      ASSERT_EQ(features.hedging, style.hedged) << text;
      ASSERT_EQ(features.reason, style.reason) << text;
      ASSERT_EQ(features.courtesy, style.courteous_opening + style.courteous_closing) << text;
    }
  }
}

TEST(Taste, DegenerateTextIsWorseThanAnyProperAnswerAndAlwaysDefined) {
  double worst = 0;
  for (int bits = 0; bits < 128; ++bits) {
    worst = std::min(worst, population_taste(asked, put({bool(bits & 1), bool(bits & 2), bool(bits & 4), bool(bits & 8),
                                                         bool(bits & 16), bool(bits & 32), bool(bits & 64), 0})));
  }
  for (const std::string& text :
       {std::string(), std::string(" \n"), std::string("qxz vvk."), std::string("\xFF\x00\x80", 3),
        std::string("red red red red red red."), std::string("Thank you Thank you Thank you Thank you")}) {
    EXPECT_LT(population_taste(asked, text), 0) << text;
    EXPECT_GE(population_taste(asked, text), -6) << text;
  }
  EXPECT_EQ(population_taste(asked, ""), -6);
  EXPECT_LT(population_taste(asked, ""), worst);
  EXPECT_LT(population_taste(asked, "The apple is red because because because because because."),
            population_taste(asked, put({.reason = true})));
  EXPECT_GT(population_taste("some other prompt", "The apple is red."), -6);
}

TEST(Demo, IsAPureFunctionOfItsSeed) {
  const DemoData a = make_demo_data({.seed = 3}), b = make_demo_data({.seed = 3}), c = make_demo_data({.seed = 4});
  EXPECT_EQ(a.preferences.records, b.preferences.records);
  EXPECT_EQ(a.sft.records, b.sft.records);
  EXPECT_EQ(a.held_out_prompts, b.held_out_prompts);
  EXPECT_NE(a.preferences.records, c.preferences.records);
}

TEST(Demo, RecordsAreSoundAndHeldOutPromptsStandNowhereElse) {
  const DemoData data = make_demo_data();
  for (const Dataset* dataset : {&data.sft, &data.preferences, &data.held_out_preferences}) {
    for (const Record& record : dataset->records)
      ASSERT_THAT(validate(record, *dataset), ::testing::IsEmpty()) << record.id;
  }
  const std::set<std::string> out(data.held_out_prompts.begin(), data.held_out_prompts.end());
  EXPECT_GT(out.size(), 30u);
  EXPECT_GT(data.train_prompts.size(), 180u);
  EXPECT_EQ(out.size() + data.train_prompts.size(), facts().size() * questions_per_fact);
  std::set<const Fact*> taught;
  for (const Dataset* dataset : {&data.sft, &data.preferences}) {
    for (const Record& record : dataset->records) {
      const std::string prompt = prompt_text(record, record.completions[0]);
      ASSERT_FALSE(out.contains(prompt));
      taught.insert(asked_for(prompt));
    }
  }
  EXPECT_EQ(taught.size(), facts().size());
}

TEST(Demo, AnnotatorsOfOneKindAgreeMoreThanThoseOfDifferentKinds) {
  const DemoData data = make_demo_data();
  double same = 0, same_equal = 0, other = 0, other_equal = 0;
  for (const Record& record : data.preferences.records) {
    for (std::size_t i = 0; i < record.feedback.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const auto& a = record.feedback[i];
        const auto& b = record.feedback[j];
        ASSERT_NE(a.annotator, b.annotator);
        const bool kin =
            data.preferences.annotators[a.annotator].traits == data.preferences.annotators[b.annotator].traits;
        const bool equal = std::get<Comparison>(a.what).outcome == std::get<Comparison>(b.what).outcome;
        (kin ? same : other) += 1;
        (kin ? same_equal : other_equal) += equal;
      }
    }
  }
  EXPECT_GT(same_equal / same, other_equal / other + 0.1);
  EXPECT_LT(other_equal / other, 0.7);
}

TEST(Demo, TheVotesTogetherPreferWhatThePopulationLikes) {
  const DemoData data = make_demo_data();
  double decided = 0, follows = 0, gain = 0;
  for (const Record& record : data.preferences.records) {
    const std::string prompt = prompt_text(record, record.completions[0]);
    for (const Pair& pair : pairs(record)) {
      const double difference = population_taste(prompt, completion_text(record, record.completions[pair.chosen])) -
                                population_taste(prompt, completion_text(record, record.completions[pair.rejected]));
      decided += 1;
      follows += difference > 0;
      gain += difference;
    }
  }
  EXPECT_GT(follows / decided, 0.65);
  EXPECT_GT(gain / decided, 0.5);
}

}  // namespace
}  // namespace attune::demo
