#include "attune/migrate/trl_keys.h"

#include <gtest/gtest.h>

#include <set>

#include "attune/base/files.h"
#include "attune/base/json.h"

namespace attune {
namespace {

Json recorded() {
  return Json::parse(read_file(Path(ATTUNE_SOURCE_DIR) / "tests" / "parity" / "recorded" / "trl_arguments.json"));
}

TEST(TrlKeys, EveryArgumentOfTrlHasARowWithTrlsDefault) {
  const Json trl = recorded();
  int checked = 0;
  for (const TrlTrainer& trainer : trl_trainers()) {
    for (const std::string_view group : {std::string_view("common"), trainer.name}) {
      for (const auto& [argument, fallback] : trl.find(group)->members()) {
        const TrlKey* key = find_trl_key(argument, trainer.letter);
        ASSERT_NE(key, nullptr) << trainer.name << ": " << argument;
        EXPECT_EQ(key->fallback, fallback.string()) << trainer.name << ": " << argument;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 800);
}

TEST(TrlKeys, EveryRowSaysWhereItGoesOrWhyNowhere) {
  std::set<std::pair<std::string_view, char>> seen;
  for (const TrlKey& key : trl_keys()) {
    const bool carried = key.fate == TrlFate::copies || key.fate == TrlFate::combines;
    EXPECT_EQ(carried, !key.target.empty()) << key.name;
    EXPECT_TRUE(carried || !key.remark.empty()) << key.name;
    for (const char trainer : key.trainers) {
      EXPECT_TRUE(seen.emplace(key.name, trainer).second) << key.name << " twice for " << trainer;
    }
  }
}

TEST(TrlKeys, LossesReadOnlyArgumentsOfTheirTrainer) {
  for (const TrlLoss& loss : trl_losses()) {
    std::string_view options = loss.options;
    while (!options.empty()) {
      const std::string_view option = options.substr(0, options.find(' '));
      EXPECT_NE(find_trl_key(option, loss.trainer), nullptr) << loss.name << ": " << option;
      options.remove_prefix(std::min(option.size() + 1, options.size()));
    }
  }
}

}  // namespace
}  // namespace attune
