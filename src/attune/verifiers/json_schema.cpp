// Whether an answer is JSON, and fits a schema.
#include <algorithm>
#include <array>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/json.h"
#include "attune/config/fields.h"
#include "attune/text/unicode.h"
#include "attune/verifiers/text_answers.h"
#include "attune/verifiers/verifier.h"

namespace attune::verifiers {
namespace {

constexpr int deepest = 64;  // of schemas and of values that are looked at
constexpr std::array keywords = {"type",
                                 "properties",
                                 "required",
                                 "additionalProperties",
                                 "items",
                                 "enum",
                                 "const",
                                 "minimum",
                                 "maximum",
                                 "exclusiveMinimum",
                                 "exclusiveMaximum",
                                 "minLength",
                                 "maxLength",
                                 "minItems",
                                 "maxItems",
                                 "$schema",
                                 "title",
                                 "description",
                                 "default",
                                 "examples"};
constexpr std::array types = {"object", "array", "string", "number", "integer", "boolean", "null"};

[[noreturn]] void refuse(const std::string& place, std::string found, std::string expected) {
  throw ConfigError({.field = "schema" + place}, std::move(found), std::move(expected));
}

void check_type(const Json& type, const std::string& place) {
  if (type.is_array()) {
    for (const Json& one : type.items()) check_type(one, place);
  } else if (!type.is_string() || std::ranges::find(types, type.string()) == types.end()) {
    refuse(place + ".type", "an unknown type", "object, array, string, number, integer, boolean or null");
  }
}

// Every keyword that is there is one that is checked; a schema never means less than it says.
void check_schema(const Json& schema, const std::string& place, int depth) {
  if (depth > deepest) refuse(place, "a schema deeper than 64", "a flatter one");
  if (schema.is_bool()) return;
  if (!schema.is_object()) refuse(place, std::string(schema.type_name()), "an object, true or false");
  for (const auto& [key, value] : schema.members()) {
    if (std::ranges::find(keywords, key) == keywords.end()) {
      refuse(place, "the keyword " + key, "the subset that 'attune explain verifier json-schema' names");
    }
    const std::string inner = place + "." + key;
    if (key == "type") check_type(value, place);
    if (key == "items" || key == "additionalProperties") check_schema(value, inner, depth + 1);
    if (key == "properties") {
      if (!value.is_object()) refuse(inner, std::string(value.type_name()), "an object");
      for (const auto& [name, member] : value.members()) check_schema(member, inner + "." + name, depth + 1);
    }
    if ((key == "required" || key == "enum") && !value.is_array())
      refuse(inner, std::string(value.type_name()), "a list");
    const bool number = key.starts_with("min") || key.starts_with("max") || key.starts_with("exclusive");
    if (number && !value.is_number()) refuse(inner, std::string(value.type_name()), "a number");
  }
}

bool is_of_type(const Json& value, const std::string& type) {
  if (type == "integer") return value.is_number() && value.number() == std::floor(value.number());
  if (type == "number") return value.is_number();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  return type == "boolean" ? value.is_bool() : value.is_null();
}

// Numbers equal by value (1 and 1.0), objects whatever their order.
bool equal(const Json& a, const Json& b, int depth) {
  if (depth > deepest) return false;
  if (a.is_number() && b.is_number()) return a.number() == b.number();
  if (a.type() != b.type()) return false;
  if (a.is_array()) {
    return std::ranges::equal(a.items(), b.items(),
                              [&](const Json& x, const Json& y) { return equal(x, y, depth + 1); });
  }
  if (!a.is_object()) return a == b;
  return a.size() == b.size() && std::ranges::all_of(a.members(), [&](const Json::Member& member) {
           const Json* other = b.find(member.first);
           return other != nullptr && equal(member.second, *other, depth + 1);
         });
}

bool within(double value, const Json& schema, const char* least, const char* most) {
  const Json* low = schema.find(least);
  const Json* high = schema.find(most);
  return (low == nullptr || value >= low->number()) && (high == nullptr || value <= high->number());
}

bool fits_bounds(const Json& value, const Json& schema) {
  if (value.is_number()) {
    const Json* above = schema.find("exclusiveMinimum");
    const Json* below = schema.find("exclusiveMaximum");
    return within(value.number(), schema, "minimum", "maximum") &&
           (above == nullptr || value.number() > above->number()) &&
           (below == nullptr || value.number() < below->number());
  }
  if (value.is_string()) {
    return within(static_cast<double>(code_point_count(value.string())), schema, "minLength", "maxLength");
  }
  return !value.is_array() || within(static_cast<double>(value.size()), schema, "minItems", "maxItems");
}

// What does not fit; empty where all does.
std::string misfit(const Json& value, const Json& schema, int depth);

std::string member_misfit(const Json& value, const Json& schema, int depth) {
  if (const Json* required = schema.find("required")) {
    for (const Json& name : required->items()) {
      if (!name.is_string() || value.find(name.string()) == nullptr) return "a required member is missing";
    }
  }
  const Json* properties = schema.find("properties");
  const Json* others = schema.find("additionalProperties");
  for (const auto& [name, member] : value.members()) {
    const Json* own = properties == nullptr ? nullptr : properties->find(name);
    const Json* rule = own != nullptr ? own : others;
    if (rule == nullptr) continue;
    if (std::string found = misfit(member, *rule, depth + 1); !found.empty()) return found;
  }
  return "";
}

std::string misfit(const Json& value, const Json& schema, int depth) {
  if (depth > deepest) return "a value deeper than 64";
  if (schema.is_bool()) return schema.boolean() ? "" : "a member that must not be there";
  if (const Json* type = schema.find("type")) {
    const bool fits =
        type->is_string()
            ? is_of_type(value, type->string())
            : std::ranges::any_of(type->items(), [&](const Json& one) { return is_of_type(value, one.string()); });
    if (!fits) return "a value of another type";
  }
  if (const Json* one = schema.find("const"); one != nullptr && !equal(value, *one, 0))
    return "another value than the constant";
  if (const Json* list = schema.find("enum")) {
    if (std::ranges::none_of(list->items(), [&](const Json& one) { return equal(value, one, 0); }))
      return "a value outside of the list";
  }
  if (!fits_bounds(value, schema)) return "a value outside of its bounds";
  if (value.is_object()) return member_misfit(value, schema, depth);
  if (const Json* items = schema.find("items"); items != nullptr && value.is_array()) {
    for (const Json& item : value.items()) {
      if (std::string found = misfit(item, *items, depth + 1); !found.empty()) return found;
    }
  }
  return "";
}

// Without the fence of a Markdown code block around all of it.
std::string_view without_fence(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with("```") || !text.ends_with("```") || text.size() < 7) return text;
  const std::size_t line = text.find('\n');
  if (line == text.npos) return text;
  text.remove_prefix(line + 1);
  text.remove_suffix(3);
  return trimmed(text);
}

class JsonSchema final : public Verifier {
  std::string file_ = "";
  bool fence_ = true;
  Json schema_ = true;

 public:
  void describe(Fields& fields) {
    fields("schema", file_,
           "file of the schema: type, properties, required, additionalProperties, items, enum, const, "
           "minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength, minItems, maxItems; "
           "any other keyword is refused. Without one any JSON is right");
    fields("fence", fence_, "a Markdown code block around the JSON may be there");
  }

  void prepare() override {
    if (file_.empty()) return;
    try {
      schema_ = Json::parse(read_file(file_));
    } catch (const JsonSyntaxError& error) {
      refuse("", "broken JSON (" + error.reason + ")", "a JSON schema");
    }
    check_schema(schema_, "", 0);
  }

  Verification verify(const Sample& sample) const override {
    Json value;
    try {
      value = Json::parse(fence_ ? without_fence(sample.answer) : sample.answer);
    } catch (const JsonSyntaxError&) {
      return {0, "no JSON"};
    }
    std::string found = misfit(value, schema_, 0);
    if (found.empty()) return {1, "fits"};
    return {0, std::move(found)};
  }
};

}  // namespace

ATTUNE_PART(Verifier, json_schema, JsonSchema, .summary = "whether an answer is JSON and fits a schema",
            .formula = "[parses and fits]; a subset of JSON Schema, all of whose keywords are checked");

}  // namespace attune::verifiers
