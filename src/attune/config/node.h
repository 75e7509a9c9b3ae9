// A run file as read: a tree of scalars, lists and maps that remembers where each stood. YAML ends here; past the typed
// structs that Fields fills, nobody sees a node or a string key.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"

namespace attune {

struct ConfigNode {
  enum class Kind { null, scalar, list, map };
  using Member = std::pair<std::string, ConfigNode>;

  Kind kind = Kind::null;
  std::string text = {};  // of a scalar
  bool quoted = false;    // a quoted scalar is a string whatever it looks like
  std::vector<ConfigNode> items = {};
  std::vector<Member> members = {};
  std::string file = {};
  std::int64_t line = -1;

  const ConfigNode* find(std::string_view key) const;
  Where where(std::string field) const { return {.file = file, .line = line, .field = std::move(field)}; }
};

// Parses YAML text (one document; no aliases, tags or duplicate keys). Throws ConfigError with file and line.
ConfigNode parse_yaml(std::string_view text, std::string file);
ConfigNode read_yaml(const Path& path);

// Applies `key.sub=value` to the tree; the value is YAML. List items are addressed by number. Throws UsageError when
// there is no '=', ConfigError when the path runs through something that cannot hold keys.
void apply_override(ConfigNode& root, std::string_view assignment);

// Block-style YAML of a JSON value: what `resolved.yaml` and `attune init` print.
std::string to_yaml(const Json& value);

}  // namespace attune
