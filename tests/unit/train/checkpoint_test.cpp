#include "attune/train/checkpoint.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "support/faulty_fs.h"
#include "support/temporary.h"

namespace attune {
namespace {

using testing::Crash;
using testing::Fault;
using testing::FaultyFs;
using testing::TemporaryDirectory;

// Everything in it tells the step.
CheckpointContent content_at(std::int64_t step) {
  const auto value = static_cast<double>(step);
  return {
      .state = Json::object({{"at", step}}),
      .tensors = {{"weights", at::full({40}, value, at::kFloat)}, {"moment", at::full({3, 5}, -value, at::kDouble)}}};
}

void expect_content(const Checkpoint& checkpoint) {
  EXPECT_EQ(checkpoint.state, content_at(checkpoint.step).state);
  for (const auto& [name, values] : content_at(checkpoint.step).tensors) {
    EXPECT_TRUE(at::equal(checkpoint.tensor(name), values)) << name << " of step " << checkpoint.step;
  }
}

// A run directory whose checkpoints come and go.
class RunFolder {
 public:
  Path checkpoints() const { return directory_ / "checkpoints"; }
  Path latest() const { return directory_ / "latest"; }
  void save(Fs& fs, std::int64_t step, int keep) const {
    save_checkpoint(fs, checkpoints(), step, content_at(step), keep);
  }
  void save(std::int64_t step, int keep = 9) const {
    FaultyFs fs;
    save(fs, step, keep);
  }
  std::vector<std::string> names() const { return list_directory(checkpoints()); }

  std::int64_t newest() const {
    const NewestCheckpoint found = newest_checkpoint(checkpoints());
    if (!found.checkpoint) return -1;
    expect_content(*found.checkpoint);
    return found.checkpoint->step;
  }
  void expect_latest_is_whole() const {
    ASSERT_TRUE(std::filesystem::is_symlink(latest()));
    const std::string step = std::filesystem::read_symlink(latest()).filename().string();
    EXPECT_NO_THROW(expect_content(load_checkpoint(checkpoints(), std::stoll(step)))) << step;
  }

 private:
  TemporaryDirectory directory_;
};

void write(const Path& file, const std::string& bytes) { disk().create(file)->write(bytes); }

void flip_bit(const Path& file, std::uint64_t bit) {
  std::string bytes = read_file(file);
  char& byte = bytes.at(bit / 8);
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit % 8));
  write(file, bytes);
}

std::vector<Fault> stops() {
  std::vector<Fault> faults{{}};
  for (std::uint64_t seed = 0; seed < 6; ++seed) faults.push_back({.power_loss = seed});
  return faults;
}

// Saves step 3 over steps 1 and 2 with a fault at operation 1, 2, 3, ... until there are no more operations.
template <class Check>
std::int64_t at_every_operation(Fault fault, int keep, const Check& check) {
  for (fault.at = 1; fault.at < 1000; ++fault.at) {
    const RunFolder run;
    run.save(1, keep);
    run.save(2, keep);
    FaultyFs fs(fault);
    bool failed = false;
    try {
      run.save(fs, 3, keep);
    } catch (const Crash&) {
      failed = true;
    } catch (const IoError&) {
      failed = true;
    }
    SCOPED_TRACE("operation " + std::to_string(fault.at) + ", errno " + std::to_string(fault.error) + ", power loss " +
                 std::to_string(fault.power_loss.value_or(0)));
    check(run);
    if (!failed) return fault.at - 1;
    run.save(3, keep);
    EXPECT_EQ(run.newest(), 3);
    run.expect_latest_is_whole();
    EXPECT_THAT(run.names(), ::testing::Each(::testing::Not(::testing::StartsWith("."))));
    if (::testing::Test::HasFailure()) break;
  }
  return fault.at;
}

TEST(Checkpoint, SaveStoppedAtAnyOperationLeavesTheOldOrTheNewOne) {
  for (const int keep : {1, 2}) {
    for (const Fault& fault : stops()) {
      const auto operations = at_every_operation(fault, keep, [&](const RunFolder& run) {
        EXPECT_THAT(run.newest(), ::testing::AnyOf(2, 3));
        run.expect_latest_is_whole();
      });
      EXPECT_GE(operations, 20);
      if (HasFailure()) return;
    }
  }
}

TEST(Checkpoint, FailedOperationIsAnIoErrorAndEarlierCheckpointsStay) {
  for (const int error : {ENOSPC, EIO}) {
    for (const bool lasting : {false, true}) {
      at_every_operation({.error = error, .lasting = lasting}, 2, [](const RunFolder& run) {
        EXPECT_THAT(run.newest(), ::testing::AnyOf(2, 3));
        EXPECT_NO_THROW(expect_content(load_checkpoint(run.checkpoints(), 2)));
        run.expect_latest_is_whole();
      });
      if (HasFailure()) return;
    }
  }
}

TEST(Checkpoint, FailedSaveGivesItsSpaceBack) {
  const RunFolder run;
  run.save(1);
  FaultyFs fs({.at = 4, .error = ENOSPC});
  EXPECT_THROW(run.save(fs, 2, 9), IoError);
  EXPECT_EQ(run.names(), std::vector<std::string>{"1"});
}

TEST(Checkpoint, DamagedOneOfTheSameStepIsReplacedAtEveryStop) {
  for (const Fault& stop : stops()) {
    Fault fault = stop;
    bool failed = true;
    for (fault.at = 1; failed; ++fault.at) {
      const RunFolder run;
      run.save(1);
      run.save(2);
      flip_bit(run.checkpoints() / "2" / "state.safetensors", 2400);
      ASSERT_EQ(run.newest(), 1);
      FaultyFs fs(fault);
      failed = false;
      try {
        run.save(fs, 2, 9);
      } catch (const Crash&) {
        failed = true;
      }
      ASSERT_THAT(run.newest(), ::testing::AnyOf(1, 2)) << "operation " << fault.at;
      run.save(2);
      ASSERT_EQ(run.newest(), 2);
      run.expect_latest_is_whole();
    }
  }
}

TEST(Checkpoint, EveryFlippedBitIsFoundAndItsFileNamed) {
  const RunFolder run;
  run.save(7);
  Random random(1, "flips");
  for (const char* name : {"state.json", "state.safetensors", "manifest.json"}) {
    const Path file = run.checkpoints() / "7" / name;
    const std::string whole = read_file(file);
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t bit = random.below(8 * whole.size());
      flip_bit(file, bit);
      try {
        load_checkpoint(run.checkpoints(), 7);
        ADD_FAILURE() << "bit " << bit << " of " << name;
      } catch (const FormatError& error) {
        // A changed hash in the manifest reads like a changed file: either name is right.
        if (name != std::string("manifest.json")) {
          ASSERT_EQ(error.problem().where.file, file.string());
        }
      }
      write(file, whole);
    }
  }
}

TEST(Checkpoint, FilesCutShortOrMissingAreFoundAndNamed) {
  const RunFolder run;
  run.save(7);
  for (const char* name : {"state.json", "state.safetensors", "manifest.json"}) {
    const Path file = run.checkpoints() / "7" / name;
    const std::string whole = read_file(file);
    const auto expect_named = [&] {
      try {
        load_checkpoint(run.checkpoints(), 7);
        ADD_FAILURE() << name;
      } catch (const FormatError& error) {
        EXPECT_EQ(error.problem().where.file, file.string());
      }
      EXPECT_EQ(run.newest(), -1);
    };
    for (std::size_t i = 0; i < 25; ++i) {
      std::filesystem::resize_file(file, whole.size() * i / 25);
      expect_named();
    }
    std::filesystem::remove(file);
    expect_named();
    write(file, whole);
  }
}

TEST(Checkpoint, WholeOnesGiveNoFalseAlarm) {
  const RunFolder run;
  for (std::int64_t step = 0; step < 200; ++step) {
    run.save(step, 2);
    ASSERT_EQ(run.newest(), step);
  }
}

TEST(Checkpoint, DamagedOnesArePassedOverAndNamed) {
  const RunFolder run;
  for (const int step : {1, 2, 3}) run.save(step);
  flip_bit(run.checkpoints() / "3" / "state.json", 20);
  std::filesystem::remove(run.checkpoints() / "2" / "manifest.json");
  const NewestCheckpoint found = newest_checkpoint(run.checkpoints());
  ASSERT_TRUE(found.checkpoint);
  EXPECT_EQ(found.checkpoint->step, 1);
  ASSERT_EQ(found.damaged.size(), 2u);
  EXPECT_THAT(found.damaged[0], ::testing::HasSubstr("3/state.json"));
  EXPECT_THAT(found.damaged[1], ::testing::HasSubstr("2/manifest.json"));
}

TEST(Checkpoint, RetentionKeepsTheBestOne) {
  const RunFolder run;
  run.save(1, 1);
  link_best(disk(), run.checkpoints(), 1);
  for (const int step : {2, 3}) run.save(step, 1);
  EXPECT_EQ(run.names(), (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(run.newest(), 3);
}

TEST(Checkpoint, RetentionKeepsTheOneJustSavedBesideDamagedLaterOnes) {
  const RunFolder run;
  for (const int step : {4, 6, 8}) run.save(step);
  for (const char* step : {"6", "8"}) flip_bit(run.checkpoints() / step / "state.safetensors", 2400);
  run.save(5, 1);
  EXPECT_EQ(run.newest(), 5);
  EXPECT_EQ(run.names(), (std::vector<std::string>{"5", "6", "8"}));
}

TEST(Checkpoint, StepsThatAreNotThereAreMissingInput) {
  const RunFolder run;
  run.save(1);
  EXPECT_THROW(load_checkpoint(run.checkpoints(), 2), MissingInput);
  EXPECT_EQ(newest_checkpoint(run.checkpoints() / "none").damaged.size(), 0u);
}

}  // namespace
}  // namespace attune
