// A command's answer: stdout, or the file of `--out`. Nothing else in attune writes to stdout.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "attune/base/json.h"
#include "attune/reports/report.h"

namespace attune {

class Answer {
 public:
  // Standard output without a path. A file appears under its name only once finish() was called. Throws OutputError.
  explicit Answer(std::optional<std::string> path = std::nullopt);
  ~Answer();
  void text(std::string_view text);
  void row(const Json& row);        // one JSON Lines row
  void document(const Json& json);  // one indented JSON document
  void flush();                     // what was written so far reaches the reader
  void finish();                    // flushes; throws IoError when the reader is gone or the disk is full

 private:
  struct Target;
  std::unique_ptr<Target> target_;
};

// The sentences of a page, or its numbers as one document.
void answer_page(const ReportPage& page, bool json);

}  // namespace attune
