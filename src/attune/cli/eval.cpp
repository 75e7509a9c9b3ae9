// attune eval: a benchmark of the catalogue on its data and what somebody said of it. No model, no libtorch.
#include "attune/evals/eval.h"

#include "attune/base/files.h"
#include "attune/cli/answer.h"
#include "attune/cli/part_options.h"
#include "attune/cli/verbs.h"

namespace attune {

int run_eval(Arguments& arguments) {
  const std::string name = arguments.action("the NAME of a benchmark");
  Choice<Eval> eval = part_named<Eval>(arguments, name);
  const bool json = arguments.flag("--json"), drop = arguments.flag("--drop-bad-rows");
  const bool row_join = arguments.flag("--row-join");
  const auto html = arguments.option("--html");
  EvalInput input{.data = Evidence(arguments.required("--data"), drop)};
  input.scores = arguments.option("--scores").value_or("");
  input.verdicts = arguments.option("--verdicts").value_or("");
  input.outputs = arguments.option("--outputs").value_or("");
  input.baseline = arguments.option("--baseline").value_or("");
  ConfigNode root{.kind = ConfigNode::Kind::map, .file = "command line"};
  if (row_join) apply_override(root, "row_join=true");
  for (const std::string& word : arguments.rest(0, 1'000, "key=value options")) {
    if (!is_assignment(word)) arguments.fail("the word '" + word + "'", "key=value options; paths behind --data, ...");
    apply_override(root, word);
  }
  read_options(eval, root);
  const ReportPage page = eval_page(name, eval->run(input));
  if (html) write_durably(disk(), *html, html_of(page));
  answer_page(page, json);
  return 0;
}

}  // namespace attune
