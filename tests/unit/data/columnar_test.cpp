// Parquet and Arrow files: what is written comes back, damage is one clear error.
#include <gmock/gmock.h>

#include "attune/base/random.h"
#include "attune/data/columnar.h"
#include "support/faulty_fs.h"
#include "unit/data/support.h"

namespace attune {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing::rows_of;
using testing::TemporaryDirectory;
using testing::what_of;

// libattune_arrow.so stands one folder above the tests' programs where the build has Arrow.
bool has_arrow() {
  const Path program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return std::filesystem::exists(program.parent_path() / "libattune_arrow.so");
}

class Columnar : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!has_arrow()) GTEST_SKIP() << "built without Arrow";
  }
  std::string write(const TemporaryDirectory& directory, const std::vector<std::string>& rows) const {
    const Path path = directory / GetParam();
    const auto sink = create_rows(disk(), path);
    for (const std::string& row : rows) sink->add(row);
    sink->finish();
    return path.string();
  }
};

TEST_P(Columnar, RowsComeBackAsTheyWere) {
  const TemporaryDirectory directory;
  const std::vector<std::string> rows = {
      R"({"id":1,"score":1.0,"text":"a \"quote\"\n\u0000é","ok":true,"none":null,"list":[1,2],"deep":[[{"x":1}],[]]})",
      R"({"id":-9007199254740993,"score":0.1,"text":"","ok":false,"none":null,"list":[],"deep":[],"late":"x"})",
      R"({"id":3,"score":-2.5e-300,"text":"日本","ok":true,"none":null,"list":[null,4],"deep":[[{"x":null}]]})"};
  std::vector<std::string> again;
  for (const std::string& row : rows) again.push_back(Json::parse(row).str());  // one spelling
  const auto read = rows_of(write(directory, rows));
  EXPECT_THAT(read, ElementsAreArray(again));
}

TEST_P(Columnar, ValuesOfSeveralTypesAndAbsentMembersBesideNullsComeBack) {
  const TemporaryDirectory directory;
  const std::vector<std::string> rows = {R"({"a":1,"b":null,"c":{},"d":[1,"x"],"e":{"k":1}})",
                                         R"({"a":"1","c":{},"d":[[2],null],"e":{}})",
                                         R"({"a":null,"b":2,"c":{},"d":[],"e":{"k":null}})",
                                         R"({"a":18446744073709551616,"b":3,"c":{},"d":[],"e":{"k":2}})"};
  EXPECT_THAT(rows_of(write(directory, rows)), ElementsAreArray(rows));
}

// A value of any kind; the deeper, the plainer.
std::string any_value(Random& random, int depth) {
  switch (random.below(depth > 0 ? 8 : 6)) {
    case 0:
      return "null";
    case 1:
      return random.below(2) == 0 ? "true" : "false";
    case 2:
      return std::to_string(static_cast<std::int64_t>(random.below(2000)) - 1000);
    case 3:
      return format_double(random.uniform() * 1e6 - 5e5);
    case 4:
      return json_quote(std::string(random.below(5), 'a') + "\"\n\xC3\xA9");
    case 5:
      return "[]";
    case 6: {
      std::string list;
      for (std::uint64_t i = random.below(4); i-- > 0;)
        list += (list.empty() ? "" : ",") + any_value(random, depth - 1);
      return "[" + list + "]";
    }
    default: {
      std::string object;
      for (const char* key : {"p", "q", "r"}) {
        if (random.below(3) > 0)
          object += (object.empty() ? "\"" : ",\"") + std::string(key) + "\":" + any_value(random, depth - 1);
      }
      return "{" + object + "}";
    }
  }
}

// One value of a column whose kind the column's number says.
std::string typed_value(Random& random, std::uint64_t column) {
  switch (column % 5) {
    case 0:
      return std::to_string(random.below(100));
    case 1:
      return json_quote("t" + std::to_string(random.below(100)));
    case 2:
      return R"([{"role":"user","content":"c","n":)" + std::to_string(random.below(9)) + "}]";
    case 3:
      return random.below(2) == 0 ? "[]" : "[0.5,1.5]";
    default:
      return any_value(random, 3);
  }
}

TEST_P(Columnar, AnyRowsComeBack) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Random random(seed, "test/columnar");
    std::vector<std::string> rows;
    for (std::uint64_t i = random.below(60) + 1; i-- > 0;) {
      std::string row;
      for (std::uint64_t column = 0; column < 10; ++column) {
        if (random.below(10) == 0) continue;
        row += (row.empty() ? "\"c" : ",\"c") + std::to_string(column) +
               "\":" + (random.below(12) == 0 ? "null" : typed_value(random, column));
      }
      rows.push_back("{" + row + "}");
    }
    const TemporaryDirectory directory;
    const auto again = rows_of(write(directory, rows));
    ASSERT_EQ(again.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      // Columns stand in the order of their first appearance; integers of a column of numbers are numbers.
      const auto sorted = [](const std::string& row) {
        return testing::sorted_inside(Json::parse("[" + row + "]")).str();
      };
      EXPECT_EQ(sorted(again[i]), sorted(rows[i])) << "seed " << seed << " row " << i;
    }
  }
}

TEST_P(Columnar, SeveralGroupsOfRowsComeInOrder) {
  const TemporaryDirectory directory;
  std::vector<std::string> rows;
  for (int i = 0; i < 20'000; ++i)
    rows.push_back(R"({"prompt":"p)" + std::to_string(i) + R"(","n":)" + std::to_string(i) + "}");
  EXPECT_EQ(rows_of(write(directory, rows)), rows);
}

TEST_P(Columnar, EveryFormatReadsAndWritesColumns) {
  const TemporaryDirectory directory;
  const std::vector<std::string> rows = {
      R"({"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"y"}],"rejected":[{"role":"assistant","content":"n"}],"margin":1.5,"extra":{"a":[1]}})",
      R"({"prompt":[{"role":"user","content":"q2"}],"chosen":[{"role":"assistant","content":"y"}],"rejected":[{"role":"assistant","content":"n"}],"extra":{"a":[]}})"};
  const auto read = inspect_dataset({.path = write(directory, rows)});
  EXPECT_EQ(read.report.bad_rows, 0);
  ASSERT_EQ(read.report.formats, std::vector<std::string>{"trl-preference"});
  const Path second = directory / (std::string("again-") + GetParam());
  write_dataset(disk(), second, read.dataset, {.format = "trl-preference"});
  EXPECT_THAT(rows_of(second), ElementsAreArray(rows));
  const Path native = directory / (std::string("native-") + GetParam());
  write_dataset(disk(), native, read.dataset, {.format = "attune"});
  const auto again = inspect_dataset({.path = native.string()});
  EXPECT_EQ(again.report.bad_rows, 0);
  ASSERT_EQ(again.dataset.records.size(), 2u);
  EXPECT_EQ(again.dataset.records[1].feedback, read.dataset.records[1].feedback);
}

TEST_P(Columnar, ABadRowIsNamedByItsNumber) {
  const TemporaryDirectory directory;
  const auto report = inspect_dataset({.path = write(directory, {R"({"prompt":"p","chosen":"y","rejected":"n"})",
                                                                 R"({"prompt":"p","chosen":"y","rejected":"y"})"})})
                          .report;
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].row, 2);
  EXPECT_EQ(report.problems[0].field, "rejected");
}

TEST_P(Columnar, ACutOrFlippedFileIsOneErrorOrAllItsRows) {
  const TemporaryDirectory directory;
  std::vector<std::string> rows;
  for (int i = 0; i < 50; ++i) rows.push_back(R"({"prompt":"p)" + std::to_string(i * i) + R"(","list":[1,2,3]})");
  const std::string whole = read_file(write(directory, rows));
  const Path path = directory / (std::string("broken-") + GetParam());
  const auto outcome = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;  // no need to outlive a power failure
    return what_of([&] { inspect_dataset({.path = path.string()}); });
  };
  for (std::size_t size = 8; size < whole.size(); size += whole.size() / 40 + 1) {
    const std::string what = outcome(whole.substr(0, size));
    EXPECT_THAT(what, HasSubstr("cut short or damaged")) << size;
  }
  Random random(1, "test/columnar");
  for (int i = 0; i < 200; ++i) {  // must not crash; a flipped letter of a text may well pass
    std::string bytes = whole;
    bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    outcome(bytes);
  }
}

TEST_P(Columnar, AFailingDiskLeavesNothingBehind) {
  const std::vector<std::string> rows = {R"({"text":"a"})", R"({"text":"b"})"};
  for (std::int64_t at = 1; at < 100; ++at) {
    const TemporaryDirectory directory;
    testing::FaultyFs fs({.at = at, .error = ENOSPC});
    const Path path = directory / GetParam();
    const std::string what = what_of([&] {
      const auto sink = create_rows(fs, path);
      for (const std::string& row : rows) sink->add(row);
      sink->finish();
    });
    if (fs.operations() < at) return;
    if (what == "nothing thrown") continue;  // removing the rows that waited failed
    EXPECT_THAT(what, HasSubstr(directory.path().string())) << at;
    if (std::filesystem::exists(path)) {
      EXPECT_THAT(rows_of(path), ElementsAreArray(rows)) << at;
    }
  }
  FAIL() << "never got through";
}

INSTANTIATE_TEST_SUITE_P(Containers, Columnar,
                         ::testing::Values("rows.parquet", "rows.arrow", "rows.feather", "rows.arrows"),
                         [](const auto& one) { return std::string(Path(one.param).extension().string().substr(1)); });

// Files written by pyarrow (tests/parity/record_parquet.py), each with its rows as JSON Lines made from pyarrow's own
// values.
TEST(ColumnarPeers, FilesOfPyarrowHoldTheRowsThatPyarrowSays) {
  if (!has_arrow()) GTEST_SKIP() << "built without Arrow";
  const Path folder = Path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded/parquet";
  int files = 0;
  for (const std::string& name : list_directory(folder)) {
    const Path path = folder / name;
    if (path.extension() == ".jsonl") continue;
    SCOPED_TRACE(name);
    const Path expected = folder / (name.substr(0, name.find('.')) + ".jsonl");
    if (std::filesystem::exists(expected)) {
      EXPECT_THAT(rows_of(path), ElementsAreArray(rows_of(expected)));
    } else {  // unsupported-<column>.arrow
      const std::string what = what_of([&] { rows_of(path); });
      EXPECT_THAT(what, HasSubstr("a column of the type"));
      EXPECT_THAT(what, HasSubstr("field " + path.stem().string().substr(std::string("unsupported-").size())));
    }
    ++files;
  }
  EXPECT_GE(files, 14);
}

TEST(ColumnarNames, ColumnsInsideOfAStreamOrAnotherFileAreRefused) {
  const TemporaryDirectory directory;
  write_durably(disk(), directory / "x.parquet.gz", compress("PAR1 and so on PAR1", Compression::gzip));
  EXPECT_THAT(what_of([&] { inspect_dataset({.path = (directory / "x.parquet.gz").string()}); }),
              HasSubstr("Parquet data in a stream"));
  write_durably(disk(), directory / "x.parquet", "{}\n");
  EXPECT_THAT(what_of([&] { inspect_dataset({.path = (directory / "x.parquet").string()}); }),
              HasSubstr("found no Parquet data"));
  write_durably(disk(), directory / "x.feather", "FEA1....");
  EXPECT_THAT(what_of([&] { inspect_dataset({.path = (directory / "x.feather").string()}); }),
              HasSubstr("first version of Feather"));
  write_durably(disk(), directory / "y.parquet", "PARE....");
  EXPECT_THAT(what_of([&] { inspect_dataset({.path = (directory / "y.parquet").string()}); }), HasSubstr("encrypted"));
  EXPECT_THROW(create_rows(disk(), directory / "out.parquet.gz"), UsageError);
}

TEST(ColumnarNames, AFolderOfTheDatasetsLibraryIsReadWithoutItsDescriptions) {
  const TemporaryDirectory directory;
  for (const char* name : {"data-00000.arrow", "dataset_info.json", "state.json"}) {
    write_durably(disk(), directory / name, "{}");
  }
  EXPECT_THAT(data_files(directory.path().string()), ::testing::ElementsAre(directory / "data-00000.arrow"));
}

}  // namespace
}  // namespace attune
