#include "attune/data/formats/columns.h"

#include <algorithm>

namespace attune::formats {
namespace {

std::string joined_tools(const std::vector<std::string>& tools) {
  std::string text = "[";
  for (const std::string& tool : tools) {
    if (text.size() > 1) text += ',';
    text += tool;
  }
  return text + "]";
}

}  // namespace

Columns::Columns(const Row& row, RowContext& context) : row_(row), context_(context), taken_(row.columns.size()) {}

const Json* Columns::take(std::string_view key) {
  for (std::size_t i = 0; i < row_.columns.size(); ++i) {
    if (row_.columns[i].key == key) taken_[i] = true;
  }
  return row_.value.find(key);
}

const Json* Columns::require(std::string_view key, const std::string& expected) {
  const Json* value = take(key);
  if (value == nullptr) context_.fail(std::string(key), "no such column", expected);
  return value;
}

void Columns::leave(std::string_view key) {
  for (std::size_t i = 0; i < row_.columns.size(); ++i) {
    if (row_.columns[i].key == key) taken_[i] = false;
  }
}

std::string_view Columns::raw(std::string_view key) const {
  for (const RawMember& column : row_.columns) {
    if (column.key == key) return column.value;
  }
  return {};
}

std::optional<double> Columns::number(std::string_view key) {
  const Json* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    // A spelling that would not come back (2.50, 1e3, twenty digits) also travels as it was.
    if (Json(value->number()).str() != raw(key)) leave(key);
    return value->number();
  }
  leave(key);
  if (!value->is_null()) context_.fail_type(std::string(key), *value, "a number");
  return std::nullopt;
}

void Columns::take_id(Record& record) {
  const Json* id = take("id");
  if (id == nullptr) return;
  if (id->is_string()) {
    record.id = id->string();
  } else {
    leave("id");
    if (id->is_integer()) record.id = raw("id");
  }
}

void Columns::take_tools(Record& record) {
  const Json* tools = take("tools");
  if (tools == nullptr) return;
  if (tools->is_null()) return leave("tools");
  std::string text(raw("tools"));
  if (tools->is_string()) {  // JSON inside of a string, which datasets without nested columns need
    leave("tools");
    text = tools->string();
    try {
      if (!Json::parse(text).is_array())
        context_.fail("tools", "a string that holds no list", "a list of tool schemas");
    } catch (const JsonSyntaxError&) {
      context_.fail("tools", "a string that holds broken JSON", "a list of tool schemas");
    }
  } else if (!tools->is_array()) {
    context_.fail_type("tools", *tools, "a list of tool schemas");
  }
  if (context_.failed()) return;
  for (const std::string_view tool : raw_items(text)) record.tools_json.emplace_back(tool);
}

void Columns::finish(Record& record, const Json& dialect) {
  take_id(record);
  finish_identified(record, dialect);
}

void Columns::finish_identified(Record& record, const Json& dialect) {
  take_tools(record);
  RawObject extra;
  std::string order;
  for (std::size_t i = 0; i < row_.columns.size(); ++i) {
    if (!taken_[i]) extra.add(row_.columns[i].key, row_.columns[i].value);
    if (i > 0) order += ',';
    order += json_quote(row_.columns[i].key);
  }
  if (!extra.empty()) record.extra_json = extra.str();
  std::string layout = dialect.str();  // with one member more; a Json of it would be built for every row
  layout.pop_back();
  layout += (dialect.size() > 0 ? ",\"columns\":[" : "\"columns\":[") + order + "]}";
  const std::int32_t source = context_.source(std::move(layout));
  for (Node& node : record.nodes) node.source = source;
}

Json layout_of(const Record& record, const Dataset& dataset, std::string_view format) {
  if (record.nodes.empty() || record.nodes.front().source < 0) return Json::object();
  const Source& source = dataset.sources[record.nodes.front().source];
  if (source.format != format || source.layout.empty()) return Json::object();
  try {
    Json layout = Json::parse(source.layout);
    return layout.is_object() ? layout : Json::object();
  } catch (const JsonSyntaxError&) {
    return Json::object();  // a layout that somebody else wrote: rows come out in the usual order
  }
}

std::string RowText::finish(const Record& record, const Json& layout) {
  if (!record.id.empty()) set("id", json_quote(record.id));
  return finish_identified(record, layout);
}

std::string RowText::finish_identified(const Record& record, const Json& layout) {
  if (!record.tools_json.empty()) set("tools", joined_tools(record.tools_json));
  std::vector<std::pair<std::string, std::string>> columns = std::move(known_);
  const bool came_in_this_format = layout.size() > 0;
  for (const RawMember& extra : raw_members(record.extra_json)) {
    const auto known =
        std::find_if(columns.begin(), columns.end(), [&](const auto& column) { return column.first == extra.key; });
    if (known == columns.end()) {
      columns.emplace_back(extra.key, std::string(extra.value));
    } else if (came_in_this_format) {
      known->second = extra.value;
    }
  }
  RawObject text;
  std::vector<bool> done(columns.size());
  if (const Json* order = layout.find("columns"); order != nullptr && order->is_array()) {
    for (const Json& key : order->items()) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (done[i] || !key.is_string() || columns[i].first != key.string()) continue;
        text.add(columns[i].first, columns[i].second);
        done[i] = true;
      }
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!done[i]) text.add(columns[i].first, columns[i].second);
  }
  return text.str();
}

std::string_view extra_column(const Record& record, std::string_view key) { return raw_member(record.extra_json, key); }

}  // namespace attune::formats
