// `attune parts` and `attune explain`: read the pages that the build wrote, so that neither needs libtorch.
#include <map>
#include <set>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/cli/answer.h"
#include "attune/cli/verbs.h"

namespace attune {
namespace {

std::vector<Json> read_pages() {
  const Path path = Path(program_folder()) / "parts.json";
  try {
    return Json::parse(read_file(path)).items();
  } catch (const JsonSyntaxError& error) {
    throw InternalError({.file = path.string()}, error.reason, "", "run 'make build' again");
  }
}

const std::string& text_of(const Json& page, std::string_view key) { return page.find(key)->string(); }

std::string default_of(const Json& option) {
  const Json* value = option.find("default");
  return value == nullptr ? "" : value->is_string() ? value->string() : value->str();
}

std::string type_of(const Json& option) {
  if (const Json* kind = option.find("x-kind")) return "a " + kind->string();
  if (const Json* names = option.find("enum")) {
    std::string text;
    for (const Json& name : names->items()) text += (text.empty() ? "" : "|") + name.string();
    return text;
  }
  const Json* type = option.find("type");
  return type == nullptr ? "" : type->string();
}

std::string bounds_of(const Json& option) {
  std::string text;
  const auto add = [&](std::string_view key, std::string_view sign) {
    if (const Json* bound = option.find(key)) text += " " + std::string(sign) + " " + bound->str();
  };
  add("minimum", ">=");
  add("exclusiveMinimum", ">");
  add("maximum", "<=");
  add("exclusiveMaximum", "<");
  return text;
}

std::string page_text(const Json& page) {
  std::string text = text_of(page, "kind") + " " + text_of(page, "name") + ": " + text_of(page, "summary") + "\n";
  if (!text_of(page, "formula").empty()) text += "\n  " + text_of(page, "formula") + "\n";
  if (!text_of(page, "paper").empty()) text += "\n  " + text_of(page, "paper") + "\n";
  const auto& options = page.find("options")->find("properties")->members();
  text += options.empty() ? "\nno options\n" : "\noptions\n";
  for (const auto& [name, option] : options) {
    const Json* description = option.find("description");
    text += "  " + name + " = " + default_of(option) + "   (" + type_of(option) + bounds_of(option) + ") " +
            (description != nullptr ? description->string() : "") + "\n";
  }
  return text;
}

}  // namespace

int run_parts(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const auto words = arguments.rest(0, 1, "[KIND]");
  Json chosen = Json::array();
  std::set<std::string> kinds;
  for (Json& page : read_pages()) {
    kinds.insert(text_of(page, "kind"));
    if (words.empty() || text_of(page, "kind") == words[0]) chosen.push_back(std::move(page));
  }
  if (chosen.size() == 0) arguments.fail("the unknown kind '" + words[0] + "'", nearest(words[0], kinds));
  Answer answer;
  if (json) {
    answer.document(chosen);
  } else {
    for (const Json& page : chosen.items()) {
      std::string head = text_of(page, "kind") + " " + text_of(page, "name");
      head.resize(std::max<std::size_t>(head.size() + 1, 34), ' ');
      answer.text(head + text_of(page, "summary") + "\n");
    }
  }
  answer.finish();
  return 0;
}

int run_explain(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const auto words = arguments.rest(2, 2, "KIND NAME");
  std::vector<std::string> names;
  for (const Json& page : read_pages()) {
    if (text_of(page, "kind") != words[0]) continue;
    names.push_back(text_of(page, "name"));
    if (names.back() != words[1]) continue;
    Answer answer;
    if (json) {
      answer.document(page);
    } else {
      answer.text(page_text(page));
    }
    answer.finish();
    return 0;
  }
  if (names.empty()) arguments.fail("the unknown kind '" + words[0] + "'", "see 'attune parts'");
  const std::string near = nearest(words[1], names);
  arguments.fail("the unknown " + words[0] + " '" + words[1] + "'", near);
}

}  // namespace attune
