// Greedy continuations equal transformers', prompt by prompt and in one batch.
#include <gtest/gtest.h>

#include "attune/generate/engine.h"
#include "support/recorded.h"

namespace attune {
namespace {

using Ids = std::vector<std::int32_t>;

Ids ids_of(const Json& list) {
  Ids ids;
  for (const Json& item : list.items()) ids.push_back(static_cast<std::int32_t>(item.integer()));
  return ids;
}

const TextInterface no_text{.stop_ids = {}, .decode = [](std::span<const std::int32_t>) { return std::string(); }};

void expect_recorded(const Generated& answer, const Json& row, const std::string& what) {
  EXPECT_EQ(answer.ids, ids_of(*row.find("completion"))) << what;
  const auto& logps = row.find("logps")->items();
  ASSERT_EQ(answer.logps.size(), logps.size()) << what;
  for (std::size_t i = 0; i < logps.size(); ++i) {
    EXPECT_NEAR(answer.logps[i], logps[i].number(), 4e-5) << what << ", token " << i;
  }
}

TEST(GreedyParity, SixtyFourTokensOfEightRaggedPromptsEqualTransformersAloneAndInABatch) {
  const Json models = testing::recorded("generate");
  ASSERT_EQ(models.size(), 6u);
  for (const auto& [name, rows] : models.members()) {
    const Path folder = Path(ATTUNE_SOURCE_DIR) / "tests/parity/recorded" / name;
    for (const auto dtype : {at::kFloat, at::kDouble}) {
      const LanguageModel model = LanguageModel::load(folder, {.dtype = dtype});
      std::vector<GenerateRequest> requests;
      for (const Json& row : rows.items()) {
        requests.push_back({.prompt = ids_of(*row.find("prompt")), .sampling = {.temperature = 0}, .max_tokens = 64});
      }
      ASSERT_EQ(requests.size(), 8u);
      const auto batched = generate(model, no_text, requests, {.slots = 8});
      for (std::size_t i = 0; i < requests.size(); ++i) {
        const std::string what = name + ", prompt " + std::to_string(i);
        expect_recorded(batched[i][0], rows.items()[i], what + " in the batch");
        const auto alone = generate(model, no_text, std::span(&requests[i], 1), {.slots = 1});
        expect_recorded(alone[0][0], rows.items()[i], what + " alone");
      }
    }
  }
}

}  // namespace
}  // namespace attune
