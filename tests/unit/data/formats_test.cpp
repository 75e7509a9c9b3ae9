#include <gmock/gmock.h>

#include "attune/data/format.h"
#include "attune/data/validate.h"
#include "unit/data/schema_rows.h"
#include "unit/data/support.h"

namespace attune {
namespace {

using testing::read_text;
using testing::row_json;
using testing::through;

// Each row with the format that should recognise it; every one must come back as it was.
struct Sample {
  const char* format;
  const char* row;
};
const Sample samples[] = {
    {"trl-preference", R"({"prompt":"The sky is","chosen":" blue.","rejected":" green."})"},
    {"trl-preference", R"({"chosen":"The sky is blue.","rejected":"The sky is green.","x":[1,{"y":2}]})"},
    {"trl-preference",
     R"({"id":7,"source":"s","prompt":"Q","chosen":[{"content":"Q","role":"user"},{"content":"A","role":"assistant"}],"rejected":[{"content":"Q","role":"user"},{"content":"B","role":"assistant"}]})"},
    {"trl-preference",
     R"({"prompt":[{"role":"user","content":"Q"}],"chosen":[{"role":"assistant","content":"A"}],"rejected":[{"role":"assistant","content":"B"}],"margin":2.5,"score_chosen":8,"score_rejected":7.50})"},
    {"trl-preference",
     R"({"rejected":"n","chosen":"y","prompt":"p","tools":[{"type":"function","function":{"name":"f"}}],"chat_template_kwargs":{"enable_thinking":false},"big":123456789012345678})"},
    {"trl-preference",
     R"({"prompt":"p","chosen":"y","rejected":"n","tools":"[ {\"name\": \"f\"} ]","score_chosen":null})"},
    {"trl-prompt-completion", R"({"prompt":"p","completion":"c","id":"r1"})"},
    {"trl-prompt-completion",
     R"({"prompt":[{"role":"user","content":"p"}],"completion":[{"role":"assistant","content":"c"}]})"},
    {"trl-prompt", R"({"prompt":"p","answer_key":4})"},
    {"trl-unpaired", R"({"prompt":"p","completion":"c","label":true})"},
    {"trl-text", R"({"text":"once upon a time","meta":null})"},
    {"trl-messages",
     R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"u","name":"kim"},{"role":"assistant","content":"a","weight":0},{"role":"user","content":[{"type":"text","text":"v"}]},{"role":"assistant","content":"b"}]})"},
    {"trl-messages",
     R"({"messages":[{"role":"user","content":"u"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":{"x":1}}}]},{"role":"tool","tool_call_id":"1","content":"2"},{"role":"assistant","content":"two","reasoning_content":"r"}]})"},
    {"trl-messages",
     R"({"conversations":[{"from":"human","value":"u"},{"from":"gpt","value":"a"},{"from":"user","value":"v"},{"from":"gpt","value":"b"}]})"},
    {"hh-rlhf",
     R"({"chosen":"\n\nHuman: a\n\nAssistant: b\n\nHuman:c\n\nAssistant: d","rejected":"\n\nHuman: a\n\nAssistant: b\n\nHuman:c\n\nAssistant: e"})"},
};

TEST(Formats, EveryRowIsRecognisedAndComesBackTheSame) {
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.row);
    const auto read = read_text(sample.row);
    ASSERT_EQ(read.report.bad_rows, 0) << read.report.problems.front().field << ": "
                                       << read.report.problems.front().found;
    EXPECT_EQ(read.report.formats.front(), sample.format);
    EXPECT_THAT(validate(read.dataset.records.front(), read.dataset), ::testing::IsEmpty());
    const auto rows = through({sample.row});
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(row_json(rows.front()), row_json(sample.row)) << rows.front();
  }
}

TEST(Formats, EveryRowComesBackTheSameThroughTheNativeForm) {
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.row);
    const testing::TemporaryDirectory directory;
    write_durably(disk(), directory / "in.jsonl", sample.row);
    const auto read = read_dataset({{.path = (directory / "in.jsonl").string()}});
    write_dataset(disk(), directory / "native.jsonl.zst", read.dataset);
    const auto again = read_dataset({{.path = (directory / "native.jsonl.zst").string()}});
    EXPECT_EQ(again.report.formats.front(), "attune");
    EXPECT_EQ(again.dataset.records, read.dataset.records);
    write_dataset(disk(), directory / "out.json", again.dataset, {.format = sample.format});
    const auto rows = testing::rows_of(directory / "out.json");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(row_json(rows.front()), row_json(sample.row)) << rows.front();
  }
}

TEST(Formats, UnknownColumnsKeepTheirBytesAndTheirOrder) {
  const std::string row =
      R"({"z":1.50,"prompt":"p","a":1E+3,"chosen":"y","u":"\u00e9\/","rejected":"n","n":18446744073709551615})";
  EXPECT_EQ(through({row}).front(), row);
}

TEST(TrlPreference, TheImplicitPromptIsThatOfTrl) {
  const auto prompt_of = [](const std::string& chosen, const std::string& rejected) {
    const auto read = read_text(Json::object({{"chosen", chosen}, {"rejected", rejected}}).str());
    const Record& record = read.dataset.records.at(0);
    return prompt_text(record, record.completions[0]);
  };
  EXPECT_EQ(prompt_of("The sky is blue", "The sky is green"), "The sky is");  // the blank goes with the answers
  EXPECT_EQ(prompt_of("ab", "abc"), "a");  // one begins with the other: the last shared character stays with them
  EXPECT_EQ(prompt_of("x", "y"), "");
  EXPECT_EQ(prompt_of("caf\xC3\xA9", "caf\xC3\xAA"), "caf");  // never inside of a character
}

TEST(TrlPreference, MarginAndScoresBecomeStrengthAndRatings) {
  const auto read =
      read_text(R"({"prompt":"p","chosen":"y","rejected":"n","margin":2,"score_chosen":8.5,"score_rejected":3})");
  const Record& record = read.dataset.records.at(0);
  ASSERT_EQ(pairs(record).size(), 1u);
  EXPECT_EQ(pairs(record)[0].strength, 2);
  ASSERT_EQ(record.feedback.size(), 3u);
  EXPECT_EQ(std::get<Rating>(record.feedback[1].what).value, 8.5);
  EXPECT_EQ(record.feedback[2].on.completion, 1);
}

TEST(TrlMessages, TheCompletionBeginsWithTheFirstAnswer) {
  const auto read = read_text(samples[11].row);
  const Record& record = read.dataset.records.at(0);
  EXPECT_EQ(prompt_text(record, record.completions[0]), "su");
  EXPECT_EQ(completion_text(record, record.completions[0]), "avb");
}

// Field and kind of the first problem of one row.
std::string problem_of(const std::string& row) {
  const auto report = read_text(row).report;
  if (report.problems.empty()) return "none";
  return report.problems[0].field + ": " + report.problems[0].found;
}

TEST(BadRows, FaultC3MissingAndWrongFieldsAreNamedByTheirPath) {
  EXPECT_EQ(problem_of(R"({"prompt":"p","rejected":"n"})"), "chosen: no such column");
  EXPECT_EQ(problem_of(R"({"prompt":"p","chosen":4,"rejected":"n"})"), "chosen: an integer");
  EXPECT_EQ(problem_of(R"({"prompt":"p","chosen":"y","rejected":null})"), "rejected: null");
  EXPECT_EQ(problem_of(R"({"prompt":["p"],"chosen":"y","rejected":"n"})"), "prompt: a list");
  EXPECT_EQ(problem_of(R"({"prompt":"p","chosen":"y","rejected":"n","margin":"big"})"), "margin: a string");
  EXPECT_EQ(problem_of(R"({"messages":[{"role":"user","content":"u"},{"role":"assistant","content":5}]})"),
            "messages[1].content: an integer");
  EXPECT_EQ(problem_of(R"({"messages":[{"role":"user","content":"u"},{"content":"a"}]})"),
            "messages[1].role: no such member");
  EXPECT_EQ(problem_of(R"({"messages":[{"role":"user","role":"user","content":"u"}]})"),
            "messages[0].role: the same member twice");
  EXPECT_EQ(problem_of(R"({"prompt":"p","completion":"c","label":1})"), "label: an integer");
  EXPECT_EQ(problem_of(R"({"prompt":"p","chosen":"y","chosen":"z","rejected":"n"})"), "chosen: the same column twice");
}

// Preference pairs go to annotators as tasks, and come back with what they said.
TEST(AnnotationTools, PairsBecomeTasksAndRecords) {
  const std::string pair = R"({"prompt":"Why?","chosen":"A","rejected":"B"})";
  const std::string chat =
      R"({"prompt":[{"role":"user","content":"Why?"}],"chosen":[{"role":"assistant","content":"A"}],"rejected":[{"role":"assistant","content":"B"}]})";
  const auto task = testing::through({chat}, "label-studio");
  ASSERT_EQ(task.size(), 1u);
  const Json annotated = Json::parse(task[0]);
  EXPECT_EQ(annotated.find("data")->str(), R"({"prompt":"Why?","answer1":"A","answer2":"B"})");
  EXPECT_EQ(annotated.find("annotations")->items().at(0).find("result")->items().at(0).find("value")->str(),
            R"({"selected":"left"})");
  const auto record = testing::through({chat}, "argilla");
  ASSERT_EQ(record.size(), 1u);
  EXPECT_EQ(Json::parse(record[0]).find("responses")->str(), R"({"preference":[{"value":"response1"}]})");
  EXPECT_EQ(testing::through(task, "trl-preference", true).size(), 1u);
  EXPECT_EQ(testing::through(record, "trl-preference", true).size(), 1u);
  EXPECT_THROW(testing::through({pair}, "label-studio"), DataError);  // texts outside of a conversation
}

TEST(AnnotationTools, WrongResultsAreNamedAndUnknownOnesTravelUnparsed) {
  EXPECT_EQ(problem_of(R"({"data":{},"annotations":[{"result":{}}]})"), "annotations[0].result: an object");
  EXPECT_EQ(problem_of(R"({"data":{},"annotations":[{"result":[{"type":4}]}]})"),
            "annotations[0].result[0].type: an integer");
  EXPECT_EQ(problem_of(R"({"fields":{},"suggestions":{},"responses":{"q":[4]}})"), "responses.q: an integer");
  const std::string spans =
      R"({"data":{"text":"t"},"annotations":[{"completed_by":1,"result":[{"from_name":"l","type":"labels","value":{"start":0,"end":1,"labels":["X"]}}]}]})";
  EXPECT_EQ(testing::through({spans}), std::vector<std::string>{spans});
}

// TRL's vision rows: placeholders in the messages, the images in a column beside them (paths, or what a data set holds
// of their bytes).
TEST(Vision, PlaceholdersAndImagesComeBackAndNoModelIsGivenThem) {
  const std::string question = R"([{"role":"user","content":[{"type":"image"},{"type":"text","text":"What is it?"}]}])";
  const std::string answer = R"([{"role":"assistant","content":[{"type":"text","text":"A cat."}]}])";
  const std::string other = R"([{"role":"assistant","content":[{"type":"text","text":"A dog.","image":null}]}])";
  const std::string images = R"("images":[{"bytes":"aGk=","path":"cat.png"}])";
  const std::vector<std::string> rows = {
      R"({"prompt":)" + question + R"(,"chosen":)" + answer + R"(,"rejected":)" + other + "," + images + "}",
      R"({"prompt":)" + question + R"(,"completion":)" + answer + "," + images + "}",
      R"({"prompt":)" + question + R"(,"completion":)" + answer + R"(,"label":true,)" + images + "}",
      R"({"messages":[{"role":"user","content":[{"type":"image","text":null},{"type":"image_url","image_url":{"url":"u"}}]},)" +
          answer.substr(1) + R"(,"image":"cat.png"})",
      R"({"prompt":)" + question + "," + images + "}"};
  for (const std::string& row : rows) {
    EXPECT_EQ(testing::through({row}), std::vector<std::string>{row});
    const Dataset dataset = testing::read_text(row).dataset;
    EXPECT_EQ(text_of(dataset.records.at(0).nodes.at(0).message), row == rows[3] ? "" : "What is it?");
    EXPECT_THAT(testing::what_of([&] { require_text_alone(dataset); }), ::testing::HasSubstr("found images"));
  }
  const auto beside = testing::read_text(R"({"prompt":"p","chosen":"y","rejected":"n","images":["a.png"]})").dataset;
  EXPECT_THAT(testing::what_of([&] { require_text_alone(beside); }), ::testing::HasSubstr("field images"));
  const auto none =
      testing::read_text(R"({"prompt":"p","chosen":"y","rejected":"n","images":[],"image":null})").dataset;
  EXPECT_NO_THROW(require_text_alone(none));
}

TEST(BadRows, FaultC4IdenticalEmptyAndBlankAnswersAreNamed) {
  EXPECT_EQ(problem_of(R"({"prompt":"p","chosen":"y","rejected":"y"})"), "rejected: the same answer as chosen");
  EXPECT_EQ(problem_of(R"({"chosen":"same","rejected":"same"})"), "rejected: the same text as chosen");
  EXPECT_EQ(problem_of(R"({"prompt":"p","chosen":"","rejected":"n"})"), "chosen: an empty answer");
  EXPECT_EQ(problem_of(R"({"prompt":"p","chosen":"y","rejected":" \n"})"), "rejected: an answer of blanks only");
  EXPECT_EQ(
      problem_of(
          R"({"chosen":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"rejected":[{"role":"user","content":"c"},{"role":"assistant","content":"d"}]})"),
      "rejected: a first message unlike that of chosen");
  EXPECT_EQ(problem_of(R"({"chosen":"\n\nHuman: a\n\nAssistant: b","rejected":"\n\nHuman: c\n\nAssistant: d"})"),
            "rejected: a prompt unlike that of chosen");
}

TEST(BadRows, FaultC5RolesAreChecked) {
  EXPECT_EQ(problem_of(R"({"messages":[{"role":"user","content":"u"},{"role":"wizard","content":"a"}]})"),
            "messages[1].role: an unknown role");
  EXPECT_EQ(problem_of(R"({"messages":[{"role":"user","content":"u"}]})"),
            "messages[0].role: a last message that is not the assistant's");
  EXPECT_EQ(problem_of(R"({"messages":[]})"), "messages: an empty list of messages");
  const auto twice = read_text(
      R"({"messages":[{"role":"user","content":"u"},{"role":"user","content":"v"},{"role":"assistant","content":"a"}]})");
  EXPECT_EQ(twice.report.bad_rows, 0);
  EXPECT_EQ(twice.report.notes.at("two user turns in a row"), 1);
}

TEST(Convert, WhatAFormatCannotCarryIsNamedAndRefusedUnlessLossy) {
  const std::vector<std::string> pair = {R"({"prompt":"p","chosen":"y","rejected":"n"})"};
  EXPECT_THAT(testing::what_of([&] { through(pair, "trl-prompt-completion"); }), ::testing::HasSubstr("record 0"));
  const auto rows = through(pair, "trl-prompt-completion", true);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0], R"({"prompt":"p","completion":"y"})");
  EXPECT_EQ(through(pair, "trl-unpaired", true).size(), 2u);
  EXPECT_THAT(testing::what_of([&] { through(pair, "hh-rlhf"); }), ::testing::HasSubstr("hh-rlhf cannot carry"));
  EXPECT_THROW(through(pair, "trl-preferense"), UsageError);
}

// A tree holds more answers, ranks and reviews than any pair: every part of it is missed.
TEST(Convert, ATreeBecomesPairsConversationsOrTasksOnlyWhenSomethingMayBeLost) {
  for (const testing::SchemaRow& row : testing::learning_rows()) {
    if (row.format != std::string("oasst-tree")) continue;
    for (const char* format : {"trl-preference", "trl-messages", "trl-prompt-completion", "ultrafeedback-binarized",
                               "label-studio", "argilla", "hh-rlhf", "oasst-flat"}) {
      EXPECT_THAT(testing::what_of([&] { testing::through({row.row}, format); }), ::testing::HasSubstr("cannot carry"))
          << format;
    }
    EXPECT_EQ(testing::through({row.row}, "trl-prompt-completion", true).size(), 2u);
    return;
  }
  FAIL() << "no row of oasst-tree";
}

TEST(Convert, ATranscriptBecomesAConversationWithoutLoss) {
  const auto rows = through({R"({"chosen":"\n\nHuman: a\n\nAssistant: b","rejected":"\n\nHuman: a\n\nAssistant: c"})"},
                            "trl-preference");
  EXPECT_EQ(rows.at(0), R"({"prompt":[{"role":"user","content":"a"}],"chosen":[{"role":"assistant","content":"b"}],)"
                        R"("rejected":[{"role":"assistant","content":"c"}]})");
}

TEST(Native, SeveralAnnotatorsAndEveryKindOfFeedbackSurvive) {
  Dataset dataset;
  dataset.annotators = {{Annotator::human, "ann", {{"age", "30-39"}}}, {Annotator::model, "judge", {}}};
  dataset.scales = {{"stars", 1, 5, {}}};
  dataset.rubrics = {{"help", "Is it helpful?"}};
  Record record{.id = "r"};
  record.nodes = {
      {-1, {.role = Role::user, .content = {{.text = "q"}}}},
      {0,
       {.role = Role::assistant,
        .content = {{.text = "a"}, {.kind = Content::Kind::image, .media = {"u", "image/png", "h"}}}}},
      {0, {.role = Role::assistant, .content = {{.text = "b"}}, .train = false, .extra_json = R"({"k":1.50})"}}};
  record.completions = {{0, 1}, {0, 2}};
  const Target first{.completion = 0}, second{.completion = 1};
  record.feedback = {{.what = Comparison{first, second, Outcome::both_bad, 0.5},
                      .annotator = 0,
                      .rubric = 0,
                      .shown = {1, 0},
                      .why = "w",
                      .time_us = 5,
                      .seconds = 1.5,
                      .confidence = 0.25,
                      .weight = 2,
                      .extra_json = R"({"e":[]})"},
                     {.what = Ranking{{{second}, {first}}, true}, .annotator = 1, .supersedes = 0},
                     {.what = Rating{"quality", 4.5, 0}, .on = first},
                     {.what = Votes{{first, second}, {0.25, 0.75}}},
                     {.what = Label{"harm", "none"}, .on = {.completion = 1, .begin = 0, .end = 1}},
                     {.what = Critique{"c"}, .on = second},
                     {.what = Edit{"e"}, .on = second},
                     {.what = Signal{"dwell", 3}, .on = second}};
  record.context = "ctx";
  record.answer = "42";
  record.documents = {"d"};
  record.tools_json = {R"({"name":"f"})"};
  record.extra_json = R"({"x":12345678901234567})";
  ASSERT_THAT(validate(record, dataset), ::testing::IsEmpty());
  dataset.records = {record};
  const testing::TemporaryDirectory directory;
  write_dataset(disk(), directory / "a.jsonl.gz", dataset);
  const auto read = read_dataset({{.path = (directory / "a.jsonl.gz").string()}});
  EXPECT_EQ(read.dataset.records, dataset.records);
  EXPECT_EQ(read.dataset.annotators, dataset.annotators);
  EXPECT_EQ(read.dataset.scales, dataset.scales);
  EXPECT_EQ(read.dataset.rubrics, dataset.rubrics);
}

TEST(Native, AMisspeltKeyIsRefusedWithTheNearestRightSpelling) {
  const auto report = read_text(R"({"nodes":[{"role":"user","contnt":"u"}],"completions":[]})").report;
  ASSERT_EQ(report.bad_rows, 1);
  EXPECT_EQ(report.problems[0].field, "nodes[0]");
  EXPECT_THAT(report.problems[0].expected, ::testing::HasSubstr("content"));
}

TEST(Recognition, UnknownRowsListTheirColumnsAndTheNearestFormat) {
  const std::string what = testing::what_of([] { read_text(R"({"promt":"p","choosen":"y","regected":"n"})"); });
  EXPECT_THAT(what, ::testing::HasSubstr("choosen, promt, regected"));
  EXPECT_THAT(what, ::testing::HasSubstr("trl-preference"));
}

}  // namespace
}  // namespace attune
