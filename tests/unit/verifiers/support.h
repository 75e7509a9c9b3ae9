// Runs a verifier by name, as the command does.
#pragma once

#include <gmock/gmock.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/config/read.h"
#include "attune/verifiers/verifier.h"
#include "support/temporary.h"

namespace attune::testing {

inline Choice<Verifier> verifier_of(const std::string& name, const std::vector<std::string>& options = {}) {
  const auto* row = find_part<Verifier>(name);
  if (row == nullptr) throw std::runtime_error("no verifier " + name);
  Choice<Verifier> verifier(*row);
  ConfigNode root{.kind = ConfigNode::Kind::map, .file = "test"};
  for (const std::string& option : options) apply_override(root, option);
  read_fields(root, [&](Fields& fields) { row->part->describe(*verifier, fields); });
  verifier->prepare();
  return verifier;
}

// The rows of a compressed JSON Lines file.
inline std::vector<Json> rows_of(const std::filesystem::path& path) {
  std::vector<Json> rows;
  gzFile file = gzopen(path.c_str(), "rb");
  std::string text;
  char buffer[1 << 16];
  for (int size = 0; (size = gzread(file, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(size));
  gzclose(file);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) rows.push_back(Json::parse(std::string_view(text).substr(at, end - at)));
    at = end + 1;
  }
  return rows;
}

inline double score_of(const std::string& name, const std::string& answer, const std::string& reference = "",
                       const std::vector<std::string>& options = {}) {
  return verifier_of(name, options)->verify({.record = "7", .answer = answer, .reference = reference}).score;
}

}  // namespace attune::testing
