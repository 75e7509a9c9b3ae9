// Reading, saving and describing configuration structs: the visitors over Fields.
#pragma once

#include <string>

#include "attune/base/json.h"
#include "attune/config/fields.h"
#include "attune/config/node.h"

namespace attune {

// Fills `value` from the tree. Throws ConfigError with file, line and key for an unknown key (with the nearest right
// spelling), a wrong type, a value out of bounds or a missing required key.
void read_fields(const ConfigNode& node, const std::function<void(Fields&)>& describe);
// The same fields as JSON, defaults included, in the order of describe().
Json save_fields(const std::function<void(Fields&)>& describe);
// JSON schema (draft 2020-12) of the fields: types, descriptions, defaults, bounds, enum values; for a choice of a part
// "x-kind" names the kind.
Json schema_of_fields(const std::function<void(Fields&)>& describe);

template <class T>
void read_config(const ConfigNode& node, T& value) {
  read_fields(node, [&value](Fields& fields) { value.describe(fields); });
}
template <class T>
Json save_config(T& value) {
  return save_fields([&value](Fields& fields) { value.describe(fields); });
}
template <class T>
Json config_schema() {
  T value;
  return schema_of_fields([&value](Fields& fields) { value.describe(fields); });
}

// One page a part: {"kind","name","summary","formula","paper","options": schema}; what parts.json holds.
template <class Interface>
Json part_pages() {
  Json pages = Json::array();
  for (const auto& row : part_rows<Interface>()) {
    const auto part = row.part->make();
    Json page = Json::object();
    page.set("kind", part_kind<Interface>);
    page.set("name", row.path);
    page.set("summary", row.part->text.summary);
    page.set("formula", row.part->text.formula);
    page.set("paper", row.part->text.paper);
    page.set("options", schema_of_fields([&](Fields& fields) { row.part->describe(*part, fields); }));
    pages.push_back(std::move(page));
  }
  return pages;
}

}  // namespace attune
