#include "attune/heads/reward_head.h"

#include "attune/base/errors.h"
#include "attune/config/read.h"

namespace attune {
namespace {

struct Kept {
  Choice<RewardHead> head = {};
  void describe(Fields& fields) { fields(head_key, head, "what the outputs mean"); }
};

// {"0": "helpfulness", "1": ...} in order; empty when it is anything else.
Json label_names(const Json& config, std::int64_t labels) {
  Json names = Json::array();
  const Json* given = config.find("id2label");
  for (std::int64_t label = 0; given != nullptr && label < labels; ++label) {
    const Json* name = given->is_object() ? given->find(std::to_string(label)) : nullptr;
    if (name == nullptr || !name->is_string()) return Json::array();
    names.push_back(*name);
  }
  return names;
}

Json inferred(const Json& config, std::int64_t labels) {
  if (labels == 1) return "scalar";
  return Json::object({{"attributes", Json::object({{"names", label_names(config, labels)}})}});
}

}  // namespace

Tensor RewardHead::log_odds(const Tensor& a, const Tensor& b) const { return score(a) - score(b); }

Json to_json(const Choice<RewardHead>& head) {
  Kept kept{head};
  return *save_config(kept).find(head_key);
}

Choice<RewardHead> head_of(const Json& config, std::int64_t labels, const Path& path) {
  const Json* kept = config.find(head_key);
  Kept read;
  try {
    const Json given = Json::object({{std::string(head_key), kept != nullptr ? *kept : inferred(config, labels)}});
    read_config(parse_yaml(to_yaml(given), path.string()), read);
    read.head->check();
  } catch (const ConfigError& error) {
    throw FormatError({.file = path.string(), .field = std::string(head_key)}, error.problem().found,
                      error.problem().expected, error.problem().remedy);
  }
  const auto outputs = std::ssize(read.head->outputs());
  if (outputs != labels) {
    throw FormatError({.file = path.string(), .field = std::string(head_key)},
                      "a head of " + std::to_string(outputs) + " outputs on " + std::to_string(labels) + " labels",
                      "as many outputs as labels");
  }
  return read.head;
}

}  // namespace attune
