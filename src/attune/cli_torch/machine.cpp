// doctor and plan: what the machine can do, and what a run will ask of it.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>

#include "attune/base/machine.h"
#include "attune/base/threads.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/verbs.h"
#include "attune/tensor/allocator.h"
#include "attune/tensor/device.h"
#include "attune/tensor/kernels.h"
#include "attune/train/limits.h"
#include "attune/train/plan.h"
#include "attune/train/run.h"

namespace attune {
namespace {

constexpr double gigabyte = 1e9;

std::string shown(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

Json json_of(const StagePlan& plan) {
  return Json::object({{"parameters", plan.parameters},
                       {"trainable", plan.trainable},
                       {"steps", plan.steps},
                       {"peak_bytes", std::round(plan.peak_bytes)},
                       {"step_seconds", plan.step_seconds},
                       {"tokens_per_second", plan.tokens_per_second},
                       {"fraction_of_limit", plan.limit_seconds / plan.step_seconds},
                       {"recompute", plan.recompute},
                       {"fits", plan.fits()}});
}

std::string text_of(const std::string& name, const StagePlan& plan) {
  const double millions = static_cast<double>(plan.parameters) / 1e6,
               trained = static_cast<double>(plan.trainable) / 1e6;
  return name + "\n  parameters         " + shown("%.1f million, ", millions) +
         shown("%.1f million trained\n", trained) + "  memory at the peak " +
         shown("%.2f GB of ", plan.peak_bytes / gigabyte) + shown("%.2f available", plan.available_bytes / gigabyte) +
         (plan.fits() ? "" : ": does not fit") + (plan.recompute ? ", blocks computed again\n" : "\n") +
         "  a step             " + shown("%.3g s, ", plan.step_seconds) +
         shown("%.0f tokens/s, ", plan.tokens_per_second) +
         shown("%.2f of the machine's limit\n", plan.limit_seconds / plan.step_seconds) + "  " +
         std::to_string(plan.steps) + " steps          " +
         shown("%.0f s, evaluation, samples and frozen models not counted\n",
               plan.step_seconds * static_cast<double>(plan.steps));
}

Json json_of(const std::vector<Gpu>& gpus) {
  Json rows = Json::array();
  for (const Gpu& gpu : gpus) {
    rows.push_back(Json::object({{"device", gpu.device},
                                 {"name", gpu.name},
                                 {"memory_bytes", gpu.memory_bytes},
                                 {"available_bytes", gpu.available_bytes}}));
  }
  return rows;
}

std::string text_of(const std::vector<Gpu>& gpus) {
  if (gpus.empty()) return "GPUs              none\n";
  std::string text;
  for (const Gpu& gpu : gpus) {
    text += (text.empty() ? "GPUs              " : "                  ") + gpu.device + " " + gpu.name +
            shown(", %.1f GB, ", gpu.memory_bytes / gigabyte) +
            shown("%.1f available\n", gpu.available_bytes / gigabyte);
  }
  return text;
}

}  // namespace

int run_doctor(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  arguments.rest(0, 0, "no further arguments");
  install_caching_allocator();
  at::set_num_threads(thread_count());
  const Ceilings ceilings = measure_ceilings(2);
  Json sets = Json::array();
  std::string set_names;
  for (const auto& set : kernels::instruction_sets()) {
    sets.push_back(set.name);
    set_names += (set_names.empty() ? "" : ", ") + std::string(set.name);
  }
  const std::vector<Gpu> found = gpus();
  const double total = memory_bytes(), available = available_memory_bytes();
  Answer out;
  if (json) {
    out.document(Json::object({{"processor", processor_name()},
                               {"cores", thread_count()},
                               {"instruction_sets", sets},
                               {"memory_bytes", total},
                               {"available_bytes", available},
                               {"gpus", json_of(found)},
                               {"product_flops", ceilings.product},
                               {"copy_bytes_per_second", ceilings.copy}}));
  } else {
    out.text("processor         " + processor_name() + ", " + std::to_string(thread_count()) + " cores\n" +
             "instruction sets  " + set_names + "\n" + "memory            " + shown("%.1f GB, ", total / gigabyte) +
             shown("%.1f available\n", available / gigabyte) + text_of(found) + "matrix products   " +
             shown("%.0f GFLOP/s in float32\n", ceilings.product / 1e9) + "copying           " +
             shown("%.1f GB/s read and written\n", ceilings.copy / gigabyte));
  }
  out.finish();
  return 0;
}

int run_plan(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  auto words = arguments.rest(1, 1000, "RUN.yaml [key=value ...]");
  const std::string file = words[0];
  words.erase(words.begin());
  RunFile run = load_run(file, words, "");
  prepare_process(run);
  std::vector<Json> rows;
  std::string text;
  for (const Stage& stage : run.stages) {
    const StagePlan plan = plan_stage(stage.settings, disk());
    rows.push_back(json_of(plan));
    rows.back().set("stage", stage.name);
    text += text_of(stage.name, plan);
  }
  Answer out;
  if (json) {
    // The run needs what its largest stage needs; all stages are listed beside it.
    Json document = *std::max_element(rows.begin(), rows.end(), [](const Json& a, const Json& b) {
      return a.find("peak_bytes")->number() < b.find("peak_bytes")->number();
    });
    Json stages = Json::array();
    for (const Json& row : rows) stages.push_back(row);
    document.set("stages", stages);
    out.document(document);
  } else {
    out.text(text);
  }
  out.finish();
  return 0;
}

}  // namespace attune
