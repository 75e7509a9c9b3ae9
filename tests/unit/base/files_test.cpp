#include "attune/base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "attune/base/errors.h"
#include "support/temporary.h"

namespace attune {
namespace {

using testing::TemporaryDirectory;

TEST(Files, DurableWriteReplacesTheWholeFileAndLeavesNoTemporary) {
  const TemporaryDirectory directory;
  write_durably(disk(), directory / "a", "one");
  write_durably(disk(), directory / "a", "two");
  EXPECT_EQ(read_file(directory / "a"), "two");
  EXPECT_EQ(list_directory(directory.path()), std::vector<std::string>{"a"});
}

TEST(Files, MissingDirectoryAndPipeAreRefusedWithoutBlocking) {
  const TemporaryDirectory directory;
  EXPECT_THROW(read_file(directory / "none"), MissingInput);
  EXPECT_THROW(read_file(directory.path()), MissingInput);
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(read_file(directory / "pipe"), MissingInput);
  std::filesystem::create_symlink("loop", directory / "loop");
  EXPECT_THROW(MappedFile(directory / "loop"), MissingInput);
}

TEST(Files, MappedBytesEqualReadBytesAlsoWhenEmpty) {
  const TemporaryDirectory directory;
  write_durably(disk(), directory / "a", "abc");
  write_durably(disk(), directory / "empty", "");
  EXPECT_EQ(MappedFile(directory / "a").bytes(), "abc");
  EXPECT_EQ(MappedFile(directory / "empty").bytes(), "");
}

TEST(Files, SecondLockOfADirectoryNamesTheHolder) {
  const TemporaryDirectory directory;
  const DirectoryLock lock(directory.path());
  try {
    const DirectoryLock second(directory.path());
    FAIL() << "expected OutputError";
  } catch (const OutputError& error) {
    EXPECT_NE(std::string(error.what()).find("process "), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace attune
