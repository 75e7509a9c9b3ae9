// The text of a run file with a remark behind its lines.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace attune {

struct RunLine {
  std::string path = {};    // "optimizer.adamw.lr"
  std::string value = {};   // YAML on one line
  std::string remark = {};  // a comment behind it; may be empty
};

// Lines with a common beginning of their paths must follow each other.
std::string run_text(std::span<const RunLine> lines);

// A text as a YAML scalar on one line: plain where that reads back the same, else quoted.
std::string yaml_text(std::string_view text);

// Words put into comment lines of at most 120 letters, each beginning with `head`.
std::string comment(std::string_view text, std::string_view head = "# ");

}  // namespace attune
