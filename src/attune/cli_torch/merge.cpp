// `attune merge`: an adapter into its base model's weights, or several models into one.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "attune/base/errors.h"
#include "attune/base/threads.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/verbs.h"
#include "attune/model/weight_tools.h"
#include "attune/rewards/reward_model.h"
#include "attune/text/tokenizer_folder.h"

namespace attune {
namespace {

std::vector<Path> models_from(Arguments& arguments, std::size_t least, std::size_t most, const std::string& expected) {
  std::vector<Path> models;
  for (const std::string& model : arguments.list("--models")) models.emplace_back(model);
  if (models.size() < least || models.size() > most) {
    arguments.fail(std::to_string(models.size()) + " --models", expected);
  }
  return models;
}

// A number within [low, high]; `otherwise` when it is not given, which NaN forbids.
double number_from(Arguments& arguments, const char* name, double low, double high, double otherwise) {
  const double value = arguments.number(name, otherwise);
  if (!(value >= low && value <= high)) {
    arguments.fail(std::isnan(value) ? "no " + std::string(name) : name + (" " + format_double(value)),
                   "a number from " + format_double(low) + " to " + format_double(high));
  }
  return value;
}

// --weights, one of each of so many; all 1 unless given.
std::vector<double> weights_from(Arguments& arguments, std::size_t count, double least, const std::string& expected) {
  const auto words = arguments.list("--weights");
  if (words.empty()) return std::vector<double>(count, 1);
  if (words.size() != count) {
    arguments.fail(std::to_string(words.size()) + " --weights for " + std::to_string(count), expected);
  }
  std::vector<double> weights;
  for (const std::string& word : words) {
    Arguments one(arguments.verb(), {"--weights", word});
    weights.push_back(one.number("--weights", 0));
    if (!(weights.back() >= least && weights.back() <= 1e6)) arguments.fail("--weights " + word, expected);
  }
  if (std::all_of(weights.begin(), weights.end(), [](double weight) { return weight == 0; })) {
    arguments.fail("--weights that are all 0", expected);
  }
  return weights;
}

// One with --adapter, or several with --adapters and --weights (1 each unless given).
Path merge_adapter(Arguments& arguments) {
  const Path model_folder = arguments.required("--model");
  const std::vector<std::string> several = arguments.list("--adapters");
  const std::vector<std::string> adapters = several.empty() ? std::vector{arguments.required("--adapter")} : several;
  if (!several.empty() && arguments.option("--adapter")) {
    arguments.fail("--adapter beside --adapters", "one of the two");
  }
  const std::vector<double> weights =
      weights_from(arguments, adapters.size(), -1e6, "a number an adapter, not all of them 0");
  if (several.empty() && weights.front() != 1) arguments.fail("--weights with one --adapter", "--adapters");
  const Path out = arguments.required("--out");
  arguments.rest(0, 0, "no plain words");
  if (std::filesystem::exists(out) && std::filesystem::equivalent(out, model_folder)) {
    throw OutputError({.file = out.string()}, "the base model's own folder", "another one");
  }
  const bool reward = several.empty() && has_score_head(adapters.front());
  LanguageModel model =
      reward ? load_reward_adapter(model_folder, adapters.front()) : LanguageModel::load(model_folder);
  if (!several.empty()) {
    model.load_adapters({adapters.begin(), adapters.end()}, weights);
  } else if (!reward) {
    model.load_adapter(adapters.front());
  }
  model.merge_adapter();
  disk().make_directories(out);
  model.save(disk(), out);
  copy_tokenizer_files(disk(), model_folder, out);
  return out;
}

// What one of the words after `attune merge` does: which folders, the one that gives the rest first, and the rule.
struct Combination {
  std::vector<Path> folders = {};
  WeightRule rule = {};
};

Combination soup_of(Arguments& arguments) {
  Combination result{.folders = models_from(arguments, 2, 10'000, "two models or more")};
  result.rule = [weights = weights_from(arguments, result.folders.size(), 0,
                                        "a number of at least 0 a model, not all of them 0")](auto tensors) {
    return soup(tensors, weights);
  };
  return result;
}

Combination extrapolation_of(Arguments& arguments) {
  const Path aligned = arguments.required("--model"), start = arguments.required("--start");
  const double alpha = number_from(arguments, "--alpha", -100, 100, NAN);
  return {.folders = {aligned, start},
          .rule = [alpha](auto tensors) { return extrapolate(tensors[0], tensors[1], alpha); }};
}

Combination arc_of(Arguments& arguments) {
  Combination result{.folders = models_from(arguments, 2, 2, "two models")};
  const double t = number_from(arguments, "--t", 0, 1, 0.5);
  result.rule = [t](auto tensors) { return slerp(tensors[0], tensors[1], t); };
  return result;
}

Combination warp_of(Arguments& arguments) {
  const Path base = arguments.required("--base");
  Combination result{.folders = models_from(arguments, 1, 10'000, "one model or more")};
  const double eta = number_from(arguments, "--eta", 0, 1, 0.5);
  result.folders.push_back(base);
  result.rule = [eta](auto tensors) { return warp(tensors.back(), tensors.first(tensors.size() - 1), eta); };
  return result;
}

Path combine(Arguments& arguments, const Combination& combination) {
  const Path out = arguments.required("--out");
  arguments.rest(0, 0, "no plain words");
  at::set_num_threads(thread_count());
  combine_folders(disk(), combination.folders, out, combination.rule);
  copy_tokenizer_files(disk(), combination.folders.front(), out);
  return out;
}

}  // namespace

int run_merge(Arguments& arguments) {
  const auto word = arguments.first_word();
  const auto merged = [&]() -> Path {
    if (!word) return merge_adapter(arguments);
    if (*word == "soup") return combine(arguments, soup_of(arguments));
    if (*word == "expo") return combine(arguments, extrapolation_of(arguments));
    if (*word == "slerp") return combine(arguments, arc_of(arguments));
    if (*word == "warp") return combine(arguments, warp_of(arguments));
    const std::string near = nearest(*word, std::vector<std::string>{"soup", "expo", "slerp", "warp"});
    arguments.fail("the unknown word '" + *word + "'", near.empty() ? "soup, expo, slerp or warp" : near);
  };
  Answer answer;
  answer.text(merged().string() + "\n");
  answer.finish();
  return 0;
}

}  // namespace attune
