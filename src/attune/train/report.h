// What a finished run leaves for people: report.html with its curves, and a model card.
#pragma once

#include "attune/train/offline.h"

namespace attune {

// Writes report.html (one page, curves as inline SVG, no network) from metrics.jsonl and samples/, and CARD.md. Reading
// them again is all it does, so it can be called at any time.
void write_report(RunDirectory& directory, const RunFile& run, const RunOutcome& outcome);

}  // namespace attune
