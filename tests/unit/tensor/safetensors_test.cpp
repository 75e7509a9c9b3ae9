// Files as they should be, and files as damage or an attacker makes them: only typed errors, and soon.
#include "attune/tensor/safetensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "attune/base/clock.h"
#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "support/temporary.h"

namespace attune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + rest;
}

std::string file_of(const std::string& header, std::size_t data) {
  return with_length(header.size(), header + std::string(data, 'x'));
}

std::string tensor(const std::string& name, const std::string& shape, const std::string& offsets,
                   const std::string& dtype = "F32") {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

// What the FormatError says, or "accepted".
std::string refusal(const std::string& bytes) {
  const TemporaryDirectory directory;
  write_durably(disk(), directory / "t", bytes);
  try {
    SafetensorsFile file(directory / "t");
  } catch (const FormatError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  const TemporaryDirectory directory;
  const Tensor grid = at::arange(6, at::TensorOptions(at::kFloat)).view({2, 3});
  write_safetensors(disk(), directory / "t",
                    {{"b", grid.t()},
                     {"a", grid.to(at::kBFloat16)},
                     {"c", grid.to(at::kLong)},
                     {"none", at::zeros({0, 4})},
                     {"scalar", at::ones({})}});
  const SafetensorsFile file(directory / "t");
  ASSERT_EQ(file.tensors().size(), 5u);
  EXPECT_TRUE(file.view(*file.find("b")).equal(grid.t()));
  EXPECT_TRUE(file.view(*file.find("a")).equal(grid.to(at::kBFloat16)));
  EXPECT_TRUE(file.view(*file.find("c")).equal(grid.to(at::kLong)));
  EXPECT_EQ(file.view(*file.find("none")).numel(), 0);
  EXPECT_EQ(file.view(*file.find("scalar")).item<float>(), 1);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(file.find("d"), nullptr);
}

TEST(Safetensors, ShardsAreFoundThroughTheirIndex) {
  const TemporaryDirectory directory;
  write_safetensors_folder(disk(), directory.path(), {{"a", at::ones({100})}, {"b", at::zeros({100})}},
                           {.shard_bytes = 500});
  const SafetensorsFolder folder(directory.path());
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(folder.view("a").sum().item<float>(), 100);
  EXPECT_EQ(folder.file_of("b").filename(), "model-00002-of-00002.safetensors");
}

TEST(Safetensors, ShardsReplaceAnEarlierSingleFile) {
  const TemporaryDirectory directory;
  write_safetensors_folder(disk(), directory.path(), {{"a", at::zeros({100})}});
  write_safetensors_folder(disk(), directory.path(), {{"a", at::ones({100})}, {"b", at::ones({100})}},
                           {.shard_bytes = 500});
  EXPECT_EQ(SafetensorsFolder(directory.path()).view("a").sum().item<float>(), 100);
}

TEST(Safetensors, ShortFilesAndLyingLengthsAreRefusedBeforeAllocating) {
  for (std::size_t size = 0; size < 8; ++size) EXPECT_THAT(refusal(std::string(size, '\1')), HasSubstr("header"));
  EXPECT_THAT(refusal(with_length(1000, "{}")), HasSubstr("1000 bytes in a file of 10"));
  EXPECT_THAT(refusal(with_length(100'000'001, "{}")), HasSubstr("at most 100000000"));
  EXPECT_THAT(refusal(with_length(~std::uint64_t{0}, "{}")), HasSubstr("18446744073709551615"));
}

TEST(Safetensors, HeadersThatAreNoJsonObjectAreRefused) {
  EXPECT_THAT(refusal(file_of("", 0)), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal(file_of("[1]", 0)), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal(file_of("{\"a\":", 0)), HasSubstr("no valid JSON"));
  EXPECT_THAT(refusal(file_of("{\"\xff\":1}", 0)), HasSubstr("no valid JSON"));
  EXPECT_THAT(refusal(file_of("{\"a\":" + std::string(100'000, '[') + "}", 0)), HasSubstr("no valid JSON"));
  EXPECT_THAT(refusal(file_of("{\"a\":3}", 0)), HasSubstr("an object"));
  EXPECT_THAT(refusal(file_of("{\"__metadata__\":{\"a\":1}}", 0)), HasSubstr("strings"));
}

TEST(Safetensors, ATensorListedTwiceIsRefusedWithBothPlaces) {
  EXPECT_THAT(refusal(file_of("{" + tensor("a", "[1]", "[0,4]") + "," + tensor("a", "[1]", "[4,8]") + "}", 8)),
              AllOf(HasSubstr("listed twice"), HasSubstr("bytes 0 and 4")));
}

TEST(Safetensors, ShapesThatOverflowOrAreNoSizesAreRefused) {
  const auto shape = [](const std::string& text) {
    return refusal(file_of("{" + tensor("big", text, "[0,16]") + "}", 16));
  };
  EXPECT_THAT(shape("[4194305,4194305,211106198978564]"), AllOf(HasSubstr("big"), HasSubstr("overflow")));
  EXPECT_THAT(shape("[-4]"), HasSubstr("-4"));
  EXPECT_THAT(shape("[4.0]"), HasSubstr("integers"));
  EXPECT_THAT(shape("[1e20]"), HasSubstr("integers"));
  EXPECT_THAT(shape("[18446744073709551615]"), HasSubstr("integers"));
  EXPECT_THAT(shape("4"), HasSubstr("a list"));
  EXPECT_THAT(shape("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4]"), HasSubstr("dimensions"));
}

TEST(Safetensors, BytesThatOverlapLeaveHolesOrRunOutAreRefused) {
  const auto two = [](const std::string& first, const std::string& second, std::size_t data) {
    return refusal(file_of("{" + first + "," + second + "}", data));
  };
  EXPECT_THAT(two(tensor("a", "[2]", "[0,8]"), tensor("b", "[2]", "[4,12]"), 12),
              AllOf(HasSubstr("overlap"), HasSubstr("a"), HasSubstr("b")));
  EXPECT_THAT(two(tensor("a", "[1]", "[0,4]"), tensor("b", "[1]", "[8,12]"), 12), HasSubstr("hole"));
  EXPECT_THAT(two(tensor("a", "[1]", "[0,4]"), tensor("b", "[1]", "[4,8]"), 9), HasSubstr("1 bytes after"));
  EXPECT_THAT(two(tensor("a", "[1]", "[0,4]"), tensor("b", "[2]", "[4,12]"), 8), HasSubstr("at most"));
  EXPECT_THAT(refusal(file_of("{" + tensor("a", "[1]", "[4,0]") + "}", 4)), HasSubstr("backwards"));
  EXPECT_THAT(refusal(file_of("{" + tensor("a", "[1]", "[0]") + "}", 4)), HasSubstr("data_offsets"));
  EXPECT_THAT(two(tensor("a", "[2]", "[0,8]"), tensor("b", "[0]", "[4,4]"), 8), HasSubstr("overlap"));
}

TEST(Safetensors, SizesThatDisagreeWithTheTypeAndUnknownTypesAreRefused) {
  EXPECT_THAT(refusal(file_of("{" + tensor("a", "[3]", "[0,8]") + "}", 8)),
              AllOf(HasSubstr("8 bytes"), HasSubstr("12 for its shape in F32")));
  EXPECT_THAT(refusal(file_of("{" + tensor("a", "[8]", "[0,8]", "F7") + "}", 8)),
              AllOf(HasSubstr("F7"), HasSubstr("BF16")));
  EXPECT_THAT(refusal(file_of("{\"a\":{\"shape\":[1]}}", 4)), HasSubstr("no dtype"));
}

TEST(Safetensors, AMillionTinyEntriesAreRefusedSoon) {
  std::string header = "{";
  for (int i = 0; i < 1'000'000; ++i) {
    header += tensor("t" + std::to_string(i), "[0]", "[0,0]") + (i + 1 < 1'000'000 ? "," : "}");
  }
  const double start = now_seconds();
  EXPECT_THAT(refusal(file_of(header, 0)), HasSubstr("more than 100000 tensors"));
  EXPECT_LT(now_seconds() - start, 3);
}

TEST(Safetensors, AnIndexStaysInItsFolderAndIsTrue) {
  const TemporaryDirectory directory;
  const auto index = [&](const std::string& shard) {
    write_durably(disk(), directory / "model.safetensors.index.json", "{\"weight_map\":{\"a\":" + shard + "}}");
    SafetensorsFolder folder(directory.path());
  };
  write_safetensors(disk(), directory / "one.safetensors", {{"b", at::ones({1})}});
  EXPECT_THROW(index("\"../one.safetensors\""), FormatError);
  EXPECT_THROW(index("\"/etc/passwd\""), FormatError);
  EXPECT_THROW(index("\"..\""), FormatError);
  EXPECT_THROW(index("7"), FormatError);
  EXPECT_THROW(index("\"gone.safetensors\""), MissingInput);
  EXPECT_THROW(index("\"one.safetensors\""), FormatError);  // which holds b, not a
}

TEST(Safetensors, DamagedFilesGiveTypedErrorsOnly) {
  const TemporaryDirectory directory;
  write_safetensors(disk(), directory / "t", {{"layer.weight", at::ones({3, 5})}, {"layer.bias", at::ones({3})}});
  const std::string whole = read_file(directory / "t");
  const auto attempt = [&](const std::string& bytes) {
    write_durably(disk(), directory / "damaged", bytes);
    try {
      const SafetensorsFile file(directory / "damaged");
      for (const StoredTensor& stored : file.tensors()) file.view(stored).to(at::kDouble).sum();
    } catch (const Error&) {
    }
  };
  for (std::size_t size = 0; size < whole.size(); size += 3) {
    EXPECT_NE(refusal(whole.substr(0, size)), "accepted") << size;
  }
  Random random(1, "flips");
  for (int i = 0; i < 400; ++i) {
    std::string bytes = whole;
    for (std::uint64_t flips = 1 + random.below(3); flips > 0; --flips) {
      bytes[random.below(200)] ^= static_cast<char>(1 << random.below(8));
    }
    attempt(bytes);
  }
}

}  // namespace
}  // namespace attune
