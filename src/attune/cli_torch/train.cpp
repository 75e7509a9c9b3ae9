// `attune train` and `attune resume`.
#include <filesystem>

#include "attune/base/errors.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/verbs.h"
#include "attune/train/offline.h"

namespace attune {
namespace {

void answer(const RunDirectory& directory, const RunOutcome& outcome, bool json) {
  Answer out;
  if (json) {
    Json metrics = Json::object();
    for (const auto& [name, value] : outcome.metrics) metrics.set(name, value);
    out.row(Json::object({{"run", directory.path().string()},
                          {"steps", outcome.steps},
                          {"loss", outcome.loss},
                          {"metrics", std::move(metrics)}}));
  } else {
    out.text("run " + directory.path().string() + ": " + std::to_string(outcome.steps) + " steps, loss " +
             format_double(outcome.loss) + "\nmodel  " + directory.model().string() + "\nreport " +
             (directory.path() / "report.html").string() + "\n");
  }
  out.finish();
}

}  // namespace

int run_train(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const bool trace = arguments.flag("--trace"), profile = arguments.flag("--profile");
  auto words = arguments.rest(2, 1000, "OBJECTIVE RUN.yaml [key=value ...]");
  const std::string objective = words[0], file = words[1];
  words.erase(words.begin(), words.begin() + 2);
  if (objective != reward_verb && find_part<Objective>(objective) == nullptr) {
    std::vector<std::string_view> names{reward_verb};
    for (const auto& row : part_rows<Objective>()) names.push_back(row.path);
    arguments.fail("the unknown objective '" + objective + "'", nearest(objective, names));
  }
  RunFile run = load_run(file, words, objective);
  prepare_process(run);
  RunDirectory directory = RunDirectory::create(disk(), run);
  answer(directory, run_offline(run, directory, {.fs = disk(), .trace = trace, .profile = profile}), json);
  return 0;
}

int run_resume(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const bool trace = arguments.flag("--trace");
  const std::int64_t from = arguments.integer("--from", -1);
  const std::string folder = arguments.rest(1, 1, "DIR")[0];
  RunDirectory directory = RunDirectory::open(disk(), folder);
  RunFile run = reload_run(folder);
  prepare_process(run);
  RunContext context{.fs = disk(), .trace = trace};
  if (from >= 0) context.from = from;
  answer(directory, run_offline(run, directory, context), json);
  return 0;
}

}  // namespace attune
