#include "attune/base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "attune/base/errors.h"
#include "support/faulty_fs.h"
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

TEST(Files, DurableWriteStoppedAnywhereLeavesTheOldOrTheNewContent) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    bool stopped = true;
    for (std::int64_t at = 1; stopped; ++at) {
      const TemporaryDirectory directory;
      testing::FaultyFs whole;
      write_durably(whole, directory / "a", "what was there before");
      testing::FaultyFs fs({.at = at, .power_loss = seed});
      stopped = false;
      try {
        write_durably(fs, directory / "a", "new");
      } catch (const testing::Crash&) {
        stopped = true;
      }
      const std::string left = read_file(directory / "a");
      ASSERT_TRUE(left == "new" || (stopped && left == "what was there before")) << "operation " << at << ": " << left;
      write_durably(whole, directory / "a", "next");
      ASSERT_EQ(read_file(directory / "a"), "next");
    }
  }
}

TEST(Files, FailedOperationsAreIoErrorsThatNameTheFile) {
  const TemporaryDirectory directory;
  for (const int error : {ENOSPC, EIO}) {
    for (std::int64_t at = 1; at <= 6; ++at) {
      testing::FaultyFs fs({.at = at, .error = error});
      try {
        write_durably(fs, directory / "a", "text");
        FAIL() << "expected IoError at operation " << at;
      } catch (const IoError& failure) {
        EXPECT_NE(failure.problem().where.file.find(directory.path().string()), std::string::npos);
        EXPECT_EQ(exit_code(failure.kind()), 74);
      }
    }
  }
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
