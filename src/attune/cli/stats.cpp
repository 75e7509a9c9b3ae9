// attune stats: a statistic of the catalogue on a table or on preference data. No model, no libtorch.
#include "attune/base/files.h"
#include "attune/cli/answer.h"
#include "attune/cli/part_options.h"
#include "attune/cli/verbs.h"
#include "attune/statistics/statistic.h"

namespace attune {
int run_stats(Arguments& arguments) {
  const std::string name = arguments.action("the NAME of a statistic");
  Choice<Statistic> statistic = part_named<Statistic>(arguments, name);
  const bool json = arguments.flag("--json");
  const bool drop = arguments.flag("--drop-bad-rows");
  const auto html = arguments.option("--html");
  std::string path;
  ConfigNode root{.kind = ConfigNode::Kind::map, .file = "command line"};
  for (const std::string& word : arguments.rest(0, 1'000, "PATH and key=value options")) {
    if (is_assignment(word)) {
      apply_override(root, word);
    } else if (path.empty()) {
      path = word;
    } else {
      arguments.fail("a second PATH '" + word + "'", "one, and key=value options");
    }
  }
  read_options(statistic, root);
  if (path.empty() && statistic->needs_data()) arguments.fail("no PATH", "attune stats " + name + " PATH");
  const ReportPage page = statistic->run(path.empty() ? Evidence() : Evidence(path, drop));
  if (html) write_durably(disk(), *html, html_of(page));
  answer_page(page, json);
  return 0;
}

}  // namespace attune
