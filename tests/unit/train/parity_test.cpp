// Ten steps each of SFT, DFT, DPO and reward models against TRL 1.16 on the same model, data, order and optimiser: the
// numbers that tests/parity/record_trl.py recorded.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "attune/tensor/safetensors.h"
#include "attune/train/offline.h"
#include "support/temporary.h"

namespace attune {
namespace {

using testing::TemporaryDirectory;

const Path recorded = Path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded/trl";

std::vector<Json> rows_of(const Path& file) {
  std::vector<Json> rows;
  const std::string text = read_file(file);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    rows.push_back(Json::parse(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  return rows;
}

class Trl : public ::testing::Test {
 protected:
  Trl() { ::setenv("ATTUNE_CACHE", (directory_ / "cache").c_str(), 1); }

  // Runs ten steps and returns the rows of metrics.jsonl.
  std::vector<Json> train(const std::string& objective, const std::string& data, double lr,
                          std::vector<std::string> overrides = {}, const char* model = "model") {
    const std::string text = "model: " + (recorded / model).string() + "\ndata: {train: " + (recorded / data).string() +
                             ", shuffle: false, max_tokens: 256}\noptimizer: {adamw: {lr: " + format_double(lr) +
                             ", weight_decay: 0.1}}\nschedule: {warmup: 2}\nbatch: {records: 4}\nsteps: 10\n"
                             "samples: {prompts: 0}\nout: " +
                             (directory_ / objective).string() + "\n";
    RunFile run = parse_run(text, "run.yaml", overrides, objective);
    disk().remove(run.out);
    RunDirectory directory = RunDirectory::create(disk(), run);
    run_offline(run, directory, {.fs = disk()});
    return rows_of(directory.path() / "metrics.jsonl");
  }

  // `name`: of the recorded run, where that is not the objective's.
  void expect_parity(const std::string& objective, const std::vector<Json>& rows, std::string name = {},
                     const char* model = "model") {
    if (name.empty()) name = objective;
    const Json expected = Json::parse(read_file(recorded / (name + ".json")));
    ASSERT_EQ(rows.size(), 10u);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (const char* key : {"loss", "grad_norm"}) {
        const double theirs = expected.find(key)->items()[i].number();
        EXPECT_NEAR(rows[i].find(key)->number(), theirs, 1e-4 * std::abs(theirs)) << key << " of step " << i + 1;
      }
    }
    const SafetensorsFile ours(directory_ / objective / "model/model.safetensors");
    const SafetensorsFile theirs(recorded / (name + ".safetensors"));
    const SafetensorsFile start(recorded / model / "model.safetensors");
    double difference = 0, moved = 0;
    for (const StoredTensor& tensor : theirs.tensors()) {
      ASSERT_NE(ours.find(tensor.name), nullptr) << tensor.name;
      const Tensor a = ours.view(*ours.find(tensor.name)), b = theirs.view(tensor);
      EXPECT_LE((a - b).abs().max().item<double>(), 1e-4) << tensor.name;
      difference += (a - b).pow(2).sum().item<double>();
      moved += (b - start.view(*start.find(tensor.name))).pow(2).sum().item<double>();
    }
    EXPECT_LE(std::sqrt(difference / moved), 1e-3);  // relative to how far the ten steps went
    // -p log p of an unlikely token grows with p: DFT's loss rises while it learns.
    const double first = rows.front().find("loss")->number(), last = rows.back().find("loss")->number();
    EXPECT_GT(objective == "dft" ? last - first : first - last, 0.05 * first);
  }

  TemporaryDirectory directory_;
};

TEST_F(Trl, TenSftStepsAreTheSame) { expect_parity("sft", train("sft", "demonstrations.jsonl", 2e-3)); }

TEST_F(Trl, TenDftStepsAreTheSame) { expect_parity("dft", train("dft", "demonstrations.jsonl", 2e-3)); }

TEST_F(Trl, TenDpoStepsAreTheSame) { expect_parity("dpo", train("dpo", "pairs.jsonl", 1e-3)); }

TEST_F(Trl, TenStepsOfARewardModelAreTheSame) {
  const std::string name = "reward/bradley-terry";
  expect_parity(name, train(name, "pairs.jsonl", 3e-3, {}, "reward-model"), "reward", "reward-model");
}

TEST_F(Trl, TenStepsOfACentredRewardModelAreTheSame) {
  const std::string name = "reward/bradley-terry";
  const std::vector<std::string> centred{"objective.reward/bradley-terry.center=0.01"};
  expect_parity(name, train(name, "pairs.jsonl", 3e-3, centred, "reward-model"), "reward-centered", "reward-model");
}

TEST_F(Trl, MicroBatchesOfOneRecordGiveTheSameStepsAsOneBatch) {
  const auto whole = train("dpo", "pairs.jsonl", 1e-3);
  const auto split = train("dpo", "pairs.jsonl", 1e-3, {"batch.tokens=1"});
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const char* key : {"loss", "grad_norm", "rewards/margins", "logps/chosen"}) {
      const double expected = whole[i].find(key)->number();
      EXPECT_NEAR(split[i].find(key)->number(), expected, 1e-5 * std::max(1.0, std::abs(expected)))
          << key << " of step " << i + 1;
    }
  }
}

TEST_F(Trl, RecomputedBlocksAndAHeadWithoutCacheChangeNothing) {
  const auto plain = train("dpo", "pairs.jsonl", 1e-3);
  const auto frugal = train("dpo", "pairs.jsonl", 1e-3, {"model.recompute=true", "model.head_cache_gib=0"});
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_NEAR(frugal[i].find("loss")->number(), plain[i].find("loss")->number(), 1e-5);
    const double norm = plain[i].find("grad_norm")->number();
    EXPECT_NEAR(frugal[i].find("grad_norm")->number(), norm, 1e-5 * norm);
  }
}

TEST_F(Trl, UpdatesInTheBackwardPassAreTheSameSteps) {
  const std::vector<std::string> unclipped{"optimizer.max_grad_norm=0", "batch.tokens=100000"};
  for (const char* recompute : {"model.recompute=false", "model.recompute=true"}) {
    std::vector<std::string> in_backward = unclipped;
    in_backward.insert(in_backward.end(), {"optimizer.in_backward=true", recompute});
    const auto plain = train("dpo", "pairs.jsonl", 1e-3, unclipped);
    const auto early = train("dpo", "pairs.jsonl", 1e-3, in_backward);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      for (const char* key : {"loss", "grad_norm"}) {
        const double expected = plain[i].find(key)->number();
        EXPECT_NEAR(early[i].find(key)->number(), expected, 1e-5 * expected) << key << " of step " << i + 1;
      }
    }
  }
}

// How far ten steps with compressed moments end from those in full: relative to how far the loss fell.
TEST_F(Trl, CompressedMomentsTrainAlmostTheSame) {
  const auto full = train("dpo", "pairs.jsonl", 1e-3);
  const double fall = full.front().find("loss")->number() - full.back().find("loss")->number();
  ASSERT_GT(fall, 0.03);
  for (const auto& [moments, tolerance] : {std::pair{"bfloat16", 0.01}, std::pair{"int8", 0.1}}) {
    const auto rows = train("dpo", "pairs.jsonl", 1e-3, {std::string("optimizer.moments=") + moments});
    const double difference = rows.back().find("loss")->number() - full.back().find("loss")->number();
    EXPECT_NE(difference, 0);
    EXPECT_LT(std::abs(difference), tolerance * fall) << moments;
    RecordProperty(std::string("loss_difference_") + moments, std::to_string(difference / fall));
  }
}

// Float64 with the prompt computed once, against one record a batch: the order of summation is all that differs.
TEST_F(Trl, InDoublePrecisionPackingIsExact) {
  const auto whole = train("dpo", "pairs.jsonl", 1e-3, {"model.dtype=float64"});
  const auto split = train("dpo", "pairs.jsonl", 1e-3, {"model.dtype=float64", "batch.tokens=1"});
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_NEAR(split[i].find("loss")->number(), whole[i].find("loss")->number(), 1e-10);
    EXPECT_NEAR(split[i].find("grad_norm")->number(), whole[i].find("grad_norm")->number(), 1e-10);
  }
}

}  // namespace
}  // namespace attune
