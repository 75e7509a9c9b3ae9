// Writes parts.json at build time: a page for every part of every catalogue.
#include <cstdio>

#include "attune/base/files.h"
#include "attune/config/read.h"
#include "attune/curate/operator.h"
#include "attune/data/format.h"
#include "attune/diagnostics/diagnostic.h"
#include "attune/evals/eval.h"
#include "attune/heads/reward_head.h"
#include "attune/model/families.h"
#include "attune/objectives/objective.h"
#include "attune/reports/report.h"
#include "attune/statistics/statistic.h"
#include "attune/verifiers/verifier.h"

int main(int count, char** values) {
  using namespace attune;
  if (count != 2) return std::fprintf(stderr, "usage: write_parts FILE\n"), 2;
  Json pages = Json::array();
  for (const Json& kind : {part_pages<Format>(), part_pages<Operator>(), part_pages<Report>(), part_pages<RewardHead>(),
                           part_pages<Statistic>(), part_pages<Eval>(), part_pages<Verifier>(), part_pages<Objective>(),
                           part_pages<Diagnostic>(), family_pages()}) {
    for (const Json& page : kind.items()) pages.push_back(page);
  }
  for (Json& page : pages.items()) {  // what makes a row one of a format is not in its options
    if (page.find("kind")->string() != part_kind<Format>) continue;
    page.set("columns", format_named(page.find("name")->string()).part->make()->columns());
  }
  write_durably(disk(), values[1], pages.str(1) + "\n");
}
