// Not a test by itself: measures how far every recorded model is from transformers and writes what
// tools/write_family_table.py makes docs/families.md of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "attune/base/files.h"
#include "attune/model/classifier.h"
#include "support/recorded_models.h"
#include "support/tiny_models.h"

namespace attune {
namespace {

using testing::distance;
using testing::expected_of;
using testing::ids_of;
using testing::numbers_of;
using testing::recorded_model;

Json language_model_row(const std::string& name) {
  LanguageModel model = LanguageModel::load(recorded_model(name));
  model.trainable().require_gradients(true);
  const Json record = expected_of(name);
  double logits = 0, logps = 0;
  Tensor loss;
  for (const Json& row : record.find("sequences")->items()) {
    const std::vector<std::vector<std::int32_t>> alone = {ids_of(*row.find("ids"))};
    const TokenForest forest = forest_of_sequences(alone);
    const Tensor scored = model.score(forest).logps;
    const Tensor last = model.family().head().logits(model.hidden(forest))[-1];
    logps = std::max(logps, distance(scored, numbers_of(*row.find("logps"))));
    logits = std::max(logits, distance(last, numbers_of(*row.find("last_logits"))));
    loss = loss.defined() ? loss - scored.mean() : -scored.mean();
  }
  Json row = Json::object({{"model_type", model.config().family}, {"logits", logits}, {"logps", logps}});
  if (const Json* norm = record.find("gradient_norm")) {
    loss.backward();
    row.set("gradient_norm",
            std::abs(model.trainable().gradient().norm().item<double>() - norm->number()) / norm->number());
  }
  return row;
}

Json classifier_row(const std::string& name) {
  const LanguageModel model = LanguageModel::load(recorded_model(name), {.classifier = true});
  const Json record = expected_of(name);
  ForestBuilder builder;
  for (const Json& list : record.find("sequences")->items()) {
    const auto ids = ids_of(list);
    builder.mark(builder.add(ids), scored_token(ids, model.config().pad_token));
  }
  const Tensor scores = model.label_scores(builder.build()).scores;
  double largest = 0;
  for (std::int64_t i = 0; i < scores.size(0); ++i) {
    const Json& wanted = record.find("scores")->items()[static_cast<std::size_t>(i)];
    largest = std::max(largest, distance(scores[i], numbers_of(wanted)));
  }
  return Json::object({{"model_type", model.config().family}, {"scores", largest}});
}

TEST(ParityTable, IsMeasured) {
  const char* out = std::getenv("ATTUNE_PARITY_TABLE");
  if (out == nullptr) GTEST_SKIP() << "tests/parity/run.sh runs this one";
  Json table = Json::object();
  for (const std::string name : testing::first_recorded) table.set(name, language_model_row(name));
  for (const std::string& name : testing::recorded_families(false)) table.set(name, language_model_row(name));
  for (const std::string& name : testing::recorded_families(true)) table.set(name, classifier_row(name));
  write_durably(disk(), out, table.str(1) + "\n");
}

}  // namespace
}  // namespace attune
