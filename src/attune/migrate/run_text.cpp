#include "attune/migrate/run_text.h"

#include <algorithm>
#include <vector>

#include "attune/base/json.h"

namespace attune {
namespace {

constexpr std::size_t width = 120;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> keys;
  while (true) {
    const std::size_t dot = path.find('.');
    keys.push_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return keys;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string run_text(std::span<const RunLine> lines) {
  std::string text;
  std::vector<std::string_view> open;
  for (const RunLine& line : lines) {
    const auto keys = split(line.path);
    std::size_t common = 0;
    while (common + 1 < keys.size() && common < open.size() && open[common] == keys[common]) ++common;
    for (std::size_t i = common; i < keys.size(); ++i) {
      text += std::string(2 * i, ' ') + std::string(keys[i]) + ":";
      if (i + 1 < keys.size()) text += "\n";
    }
    text += " " + line.value;
    if (!line.remark.empty()) text += "  # " + line.remark;
    text += "\n";
    open.assign(keys.begin(), keys.end() - 1);
  }
  return text;
}

std::string yaml_text(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./").find(c) != std::string_view::npos;
  };
  // A letter or a path in front, so that it is no number; and none of the words that YAML reads as something else.
  const bool starts = !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z') ||
                                        (text[0] == '/') || text.starts_with("./") || text.starts_with("../"));
  constexpr std::string_view words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const bool word = std::find(std::begin(words), std::end(words), lower) != std::end(words);
  return starts && !word && std::all_of(text.begin(), text.end(), plain) ? std::string(text) : json_quote(text);
}

std::string comment(std::string_view words, std::string_view head) {
  std::string clean(words);  // a line break of a user's path must not end the comment
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  std::string_view text = clean;
  std::string result;
  std::string line(head);
  const std::string indent = "#" + std::string(head.size() - 1, ' ');
  bool empty = true;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    if (!empty && line.size() + 1 + space > width) {
      result += line + "\n";
      line = indent;
      empty = true;
    }
    line += (empty ? "" : " ") + std::string(text.substr(0, space));
    empty = false;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return result + line + "\n";
}

}  // namespace attune
