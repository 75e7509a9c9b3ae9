// What verbs share that run one part of a catalogue: finding it by name, and key=value words as its options.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "attune/base/errors.h"
#include "attune/cli/arguments.h"
#include "attune/config/read.h"

namespace attune {

// Throws UsageError with the nearest name, or all of them.
template <class Interface>
Choice<Interface> part_named(Arguments& arguments, const std::string& name) {
  if (const auto* row = find_part<Interface>(name)) return Choice<Interface>(*row);
  std::vector<std::string_view> names;
  std::string all;
  for (const auto& known : part_rows<Interface>()) {
    names.push_back(known.path);
    all += (all.empty() ? "" : ", ") + std::string(known.path);
  }
  const std::string near = nearest(name, names);
  arguments.fail("the unknown " + std::string(part_kind<Interface>) + " '" + name + "'",
                 near.empty() ? "one of " + all : near);
}

// key=value, unless a file of that name exists.
inline bool is_assignment(const std::string& word) {
  return word.find('=') != std::string::npos && !std::filesystem::exists(word);
}

template <class Interface>
void read_options(Choice<Interface>& part, const ConfigNode& root) {
  read_fields(root, [&](Fields& fields) { part.row()->part->describe(*part, fields); });
}

}  // namespace attune
