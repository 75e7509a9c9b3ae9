// The fault table of preference data: what a broken file gets.
#include <gmock/gmock.h>

#include "attune/base/random.h"
#include "unit/data/support.h"

namespace attune {
namespace {

using ::testing::HasSubstr;
using testing::read_text;
using testing::TemporaryDirectory;
using testing::what_of;

const std::string good = R"({"prompt":"p","chosen":"y","rejected":"n"})";

std::string good_rows(int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += R"({"prompt":"p)" + std::to_string(i) +
            R"(","chosen":"yes","rejected":"no"})"
            "\n";
  return text;
}

TEST(Faults, C1BrokenJsonIsNamedByItsLineInTheDecompressedStream) {
  const TemporaryDirectory directory;
  const std::string text = good_rows(18230) +
                           R"({"prompt":"p","chosen":"y","rej)"
                           "\n" +
                           good_rows(3);
  for (const char* name : {"a.jsonl", "a.jsonl.gz", "a.jsonl.zst"}) {
    const Path path = directory / name;
    write_durably(disk(), path, compress(text, compression_of(path)));
    EXPECT_THAT(what_of([&] { read_dataset({{.path = path.string()}}); }), HasSubstr(":18231"));
  }
}

TEST(Faults, C1TheLastLineNeedsNoNewline) { EXPECT_EQ(read_text(good + "\n" + good).dataset.records.size(), 2u); }

TEST(Faults, C1ALineBeyondTheLimitIsRefusedInBoundedMemory) {
  const TemporaryDirectory directory;
  const std::string text = good + "\n" + std::string(3 << 20, 'x') + "\n" + good + "\n";
  write_durably(disk(), directory / "a.jsonl", text);
  DatasetOptions options;
  options.limits.row_bytes = 1 << 20;
  const auto read = inspect_dataset({.path = (directory / "a.jsonl").string()}, options);
  EXPECT_EQ(read.dataset.records.size(), 2u);
  ASSERT_EQ(read.report.bad_rows, 1);
  EXPECT_EQ(read.report.problems[0].row, 2);
  EXPECT_EQ(read.report.problems[0].found, "a line of more than 1 MiB");
}

TEST(Faults, C2ByteOrderMarkAndCrlfAreAccepted) {
  EXPECT_EQ(read_text("\xEF\xBB\xBF" + good + "\r\n\r\n" + good + "\r\n").dataset.records.size(), 2u);
}

TEST(Faults, C2WideEncodingsAreNamed) {
  std::string wide = "\xFF\xFE";
  for (const char c : good) wide += {c, '\0'};
  EXPECT_THAT(what_of([&] { read_text(wide); }), HasSubstr("UTF-16"));
  EXPECT_THAT(what_of([&] { read_text(wide.substr(2)); }), HasSubstr("UTF-16"));
  EXPECT_THAT(what_of([&] { read_text(std::string("\xFF\xFE\0\0{\0\0\0", 8)); }), HasSubstr("UTF-32"));
}

TEST(Faults, C2InvalidUtf8IsNamedWithLineAndByte) {
  const auto report = read_text(good + "\n" +
                                R"({"prompt":"caf)"
                                "\xE9"
                                R"(","chosen":"y","rejected":"n"})")
                          .report;
  ASSERT_EQ(report.bad_rows, 1);
  EXPECT_EQ(report.problems[0].row, 2);
  EXPECT_EQ(report.problems[0].found, "invalid UTF-8: byte 0xE9 at byte 15 of the row");
}

TEST(Faults, C7CutShortSaysHowManyGoodRecordsCameFirst) {
  const TemporaryDirectory directory;
  const std::string text = good_rows(40000);
  for (const char* name : {"a.jsonl.gz", "a.jsonl.zst"}) {
    const Path path = directory / name;
    const std::string whole = compress(text, compression_of(path));
    write_durably(disk(), path, whole.substr(0, whole.size() - whole.size() / 3));
    const std::string what = what_of([&] { read_dataset({{.path = path.string()}}, {.on_bad_row = OnBadRow::drop}); });
    EXPECT_THAT(what, HasSubstr("cut short after ")) << name;
    EXPECT_THAT(what, HasSubstr(" good records"));
    EXPECT_THAT(what, ::testing::Not(HasSubstr("after 0 good")));
  }
}

TEST(Faults, C7AWrongChecksumAndGarbageBehindTheEndAreNamed) {
  const TemporaryDirectory directory;
  const std::string text = good_rows(10);
  for (const char* name : {"a.jsonl.gz", "a.jsonl.zst"}) {
    const Path path = directory / name;
    const std::string whole = compress(text, compression_of(path));
    std::string flipped = whole;
    flipped[whole.size() - (compression_of(path) == Compression::gzip ? 6 : 2)] ^= 1;  // inside of the checksum
    write_durably(disk(), path, flipped);
    EXPECT_THAT(what_of([&] { read_dataset({{.path = path.string()}}); }), HasSubstr("wrong checksum")) << name;
    write_durably(disk(), path, whole + "garbage");
    EXPECT_THAT(what_of([&] { read_dataset({{.path = path.string()}}); }), HasSubstr("garbage after the end")) << name;
    EXPECT_THAT(what_of([&] { read_dataset({{.path = path.string()}}); }), HasSubstr("after 10 good records"));
    write_durably(disk(), path, whole + whole);
    EXPECT_EQ(read_dataset({{.path = path.string()}}).dataset.records.size(), 20u) << name;
  }
}

TEST(Faults, C7ANameThatLiesAboutCompressionIsToldApart) {
  const TemporaryDirectory directory;
  write_durably(disk(), directory / "a.jsonl.gz", good);
  EXPECT_THAT(what_of([&] { read_dataset({{.path = (directory / "a.jsonl.gz").string()}}); }), HasSubstr("gzip data"));
  write_durably(disk(), directory / "b.jsonl", compress(good, Compression::zstd));
  EXPECT_EQ(read_dataset({{.path = (directory / "b.jsonl").string()}}).dataset.records.size(), 1u);
}

TEST(Faults, C8ExpansionAndEmptyMembersAreLimited) {
  const TemporaryDirectory directory;
  write_durably(disk(), directory / "a.jsonl.zst", compress(std::string(100 << 20, ' '), Compression::zstd));
  EXPECT_THAT(what_of([&] { read_dataset({{.path = (directory / "a.jsonl.zst").string()}}); }), HasSubstr("fold"));
  std::string empty;
  const std::string frame = compress("", Compression::zstd);
  for (int i = 0; i < 20'000; ++i) empty += frame;
  write_durably(disk(), directory / "b.jsonl.zst", empty);
  EXPECT_THAT(what_of([&] { read_dataset({{.path = (directory / "b.jsonl.zst").string()}}); }),
              HasSubstr("empty members"));
}

TEST(Faults, C8AWindowBeyondTheLimitIsRefused) {
  const TemporaryDirectory directory;
  // A frame header that asks for a window of 2 GiB: magic, descriptor 0 (window follows), exponent 21.
  write_durably(disk(), directory / "a.jsonl.zst", std::string("\x28\xB5\x2F\xFD\x00\xA8\x01\x00\x00", 9));
  EXPECT_THAT(what_of([&] { read_dataset({{.path = (directory / "a.jsonl.zst").string()}}); }),
              HasSubstr("window is too large"));
}

TEST(Faults, C11FilesOfDifferentFormatsNameBothFilesAndTheirColumns) {
  const TemporaryDirectory directory;
  testing::write_rows(directory / "a.jsonl", {good});
  testing::write_rows(directory / "b.jsonl", {R"({"text":"t"})"});
  testing::write_rows(directory / "c.jsonl", {});
  const std::string what = what_of([&] { read_dataset({{.path = directory.path().string()}}); });
  for (const char* part : {"a.jsonl", "b.jsonl", "chosen", "text"}) EXPECT_THAT(what, HasSubstr(part));
}

TEST(Faults, C11AnEmptyFileIsANoteAndAnEmptyDataSetAnError) {
  const TemporaryDirectory directory;
  testing::write_rows(directory / "a.jsonl", {});
  EXPECT_THROW(read_dataset({{.path = directory.path().string()}}), DataError);
  testing::write_rows(directory / "b.jsonl.gz", {good});
  const auto read = read_dataset({{.path = directory.path().string()}});
  EXPECT_EQ(read.dataset.records.size(), 1u);
  EXPECT_EQ(read.report.notes.at("an empty file"), 1);
}

TEST(Faults, AFileThatIsNotWhatItsNameSaysGetsOneClearLine) {
  const TemporaryDirectory directory;
  testing::write_rows(directory / "a.parquet", {"x"});
  EXPECT_THAT(what_of([&] { read_dataset({{.path = (directory / "a.parquet").string()}}); }),
              HasSubstr("found no Parquet data"));
  EXPECT_THAT(what_of([&] { read_dataset({{.path = directory.path().string()}}); }), HasSubstr("Parquet"));
  EXPECT_THROW(read_dataset({{.path = (directory / "none.jsonl").string()}}), MissingInput);
}

TEST(BadRowPolicy, RefuseNamesTheFirstAndCountsTheOthersDropListsThem) {
  const TemporaryDirectory directory;
  const std::string path = testing::write_rows(
      directory / "a.jsonl",
      {good, R"({"prompt":"p","chosen":"","rejected":"n"})", R"({"prompt":"p","rejected":"n"})", "{", good});
  const std::string what = what_of([&] { read_dataset({{.path = path}}); });
  EXPECT_THAT(what, HasSubstr("a.jsonl:2 (field chosen): found an empty answer (and 2 more bad rows)"));
  const auto read = read_dataset({{.path = path}}, {.on_bad_row = OnBadRow::drop});
  EXPECT_EQ(read.dataset.records.size(), 2u);
  EXPECT_EQ(read.report.rows, 5);
  EXPECT_EQ(read.report.bad_rows, 3);
  EXPECT_EQ(read.report.problems.size(), 3u);
  EXPECT_EQ(read.report.reasons.at("an empty answer"), 1);
}

TEST(Documents, AListOfRowsIsReadElementByElement) {
  const std::string list = "[\n" + good + ",\n  " + good + "\n]\n";
  const auto read = read_text(list, "rows.json");
  EXPECT_EQ(read.dataset.records.size(), 2u);
  EXPECT_EQ(read_text(good + "\n" + good + "\n", "rows.json").dataset.records.size(), 2u);
  EXPECT_EQ(read_text("[" + good + "]", "rows.jsonl").dataset.records.size(), 1u);
  const auto cut = read_text(list.substr(0, list.size() - 8), "rows.json").report;
  ASSERT_EQ(cut.bad_rows, 1);
  EXPECT_EQ(cut.problems[0].row, 3);
  EXPECT_EQ(read_text("[" + good + " " + good + "]", "rows.json").report.problems.at(0).found,
            "no comma before this row");
  EXPECT_EQ(read_text("[" + good, "rows.json").report.problems.at(0).found, "a list that is cut short");
}

TEST(Mixing, WeightsAndLimitsAreDeterministicAndWholeOnesKeepEveryRecord) {
  const DataPart half{.weight = 0.5}, more{.weight = 2.25}, few{.limit = 3};
  EXPECT_EQ(mix(10, half, 1, 0).size(), 5u);
  EXPECT_EQ(mix(10, half, 1, 0), mix(10, half, 1, 0));
  EXPECT_NE(mix(100, half, 1, 0), mix(100, half, 2, 0));
  EXPECT_NE(mix(100, half, 1, 0), mix(100, half, 1, 1));
  const auto kept = mix(8, more, 1, 0);
  EXPECT_EQ(kept.size(), 18u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_GE(std::count(kept.begin(), kept.end(), i), 2);
  EXPECT_EQ(mix(10, few, 1, 0).size(), 3u);
}

TEST(Mixing, PartsKeepTheirAnnotatorsApartAndShareEqualOnes) {
  const TemporaryDirectory directory;
  const auto file = [&](const char* name, const char* annotator) {
    return testing::write_rows(
        directory / name,
        {std::string(R"({"attune":"dataset","annotators":[{"id":"both","kind":"human"},{"id":")") + annotator +
             R"(","kind":"model"}]})",
         R"({"nodes":[{"role":"plain","content":"a"}],"completions":[{"after":-1,"last":0}],"feedback":[{"critique":"c","on":{"completion":0},"annotator":1}]})"});
  };
  const auto read = read_dataset({{.path = file("a.jsonl", "x")}, {.path = file("b.jsonl", "y"), .weight = 2}});
  ASSERT_EQ(read.dataset.records.size(), 3u);
  const auto annotator = [&](std::size_t record) {
    return read.dataset.annotators[read.dataset.records[record].feedback[0].annotator].id;
  };
  EXPECT_EQ(annotator(0), "x");
  EXPECT_EQ(annotator(2), "y");
}

// Cuts and flips must end in records, row problems or a typed error: never in a crash or another exception.
TEST(Property, RandomCutsAndByteFlipsNeverCrash) {
  const TemporaryDirectory directory;
  const std::string text =
      good + "\n" +
      R"({"messages":[{"role":"user","content":"u\u00e9\n"},{"role":"assistant","content":[{"type":"text","text":"t"}]}]})" +
      "\n" + R"({"chosen":"\n\nHuman: a\n\nAssistant: b","rejected":"\n\nHuman: a\n\nAssistant: c"})" + "\n" +
      R"({"attune":"dataset","annotators":[{"id":"x","kind":"human"}]})" + "\n" +
      R"({"nodes":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"completions":[{"after":0,"last":1}],"feedback":[{"critique":"c","on":{"completion":0},"annotator":0}]})" +
      "\n";
  int refused = 0, read = 0;
  for (int round = 0; round < 1500; ++round) {
    Random random(7, "cuts", {round});
    const auto compression = static_cast<Compression>(random.below(3));
    std::string bytes = compress(text, compression);
    for (std::uint64_t flips = random.below(4); flips > 0; --flips) {
      bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    }
    if (random.below(2) == 0) bytes.resize(random.below(bytes.size() + 1));
    const Path path = directory / (random.below(2) == 0 ? "a.jsonl" : "a.json");
    write_durably(disk(), path, bytes);
    const char* formats[] = {"", "attune", "trl-preference", "trl-messages", "hh-rlhf"};
    try {
      inspect_dataset({.path = path.string(), .format = formats[random.below(5)]});
      ++read;
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(read, 300);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace attune
