// What becomes of TRL's arguments: one row an argument. docs/coming-from-trl.md is written from these tables, and a
// test holds them against every argument and default of TRL 1.16.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

// A letter a trainer: s sft, d dpo, k kto, r reward, c cpo, o orpo. Rows list the letters of the trainers they hold
// for.
struct TrlTrainer {
  std::string_view name;
  char letter;
};
std::span<const TrlTrainer> trl_trainers();

enum class TrlFate {
  copies,    // a number that is the same under attune's key
  combines,  // becomes attune's key together with others, or under another convention: the remark says how
  leaves,    // nothing of it is needed; the remark says why
  refuses,   // attune cannot do it, and it changes what is trained: refused unless it has a harmless value
};
std::string_view name(TrlFate fate);

struct TrlKey {
  std::string_view name;
  std::string_view trainers;
  std::string_view fallback;  // TRL's default, as YAML; empty: None
  TrlFate fate = TrlFate::leaves;
  std::string_view target;  // attune's key; empty where there is none
  std::string_view remark;
  std::string_view harmless = {};  // a value besides the fallback that changes nothing
};
std::span<const TrlKey> trl_keys();
const TrlKey* find_trl_key(std::string_view name, char trainer);
// Names that a trainer knows, for finding the nearest.
std::vector<std::string_view> trl_key_names(char trainer);

// One loss_type of a trainer. `options` are those of TRL's arguments that it reads and that attune's objective has.
struct TrlLoss {
  char trainer;
  std::string_view name;
  std::string_view objective;
  std::string_view options;
  std::string_view remark = {};
};
std::span<const TrlLoss> trl_losses();

}  // namespace attune
