#include "attune/migrate/trl_data.h"

#include <algorithm>

#include "attune/base/errors.h"

namespace attune {
namespace {

constexpr std::string_view parts_key = "datasets";

void add_texts(const ConfigNode& node, std::vector<std::string>& paths) {
  if (node.kind == ConfigNode::Kind::scalar) paths.push_back(node.text);
  for (const ConfigNode& item : node.items) {
    if (item.kind == ConfigNode::Kind::scalar) paths.push_back(item.text);
  }
}

// One entry of `datasets:`: its files, else its path.
std::vector<std::string> paths_of(const ConfigNode& part, TrlData& data) {
  std::vector<std::string> paths;
  if (part.kind != ConfigNode::Kind::map)
    throw ConfigError(part.where("datasets"), "an entry that is no map", "path: ...");
  for (const auto& [name, node] : part.members) {
    if (name == "fraction" && node.kind != ConfigNode::Kind::null) {
      data.refused.emplace_back(parts_key,
                                "leave fraction out, and set data.train's weight (a share of that file) instead");
    } else if (name == "split" && node.text != "train") {
      data.notes.push_back("data.train: name the files of the split '" + node.text + "'");
    } else if (name == "data_files") {
      const ConfigNode* train = node.find("train");
      add_texts(train != nullptr ? *train : node, paths);
    }
  }
  if (const ConfigNode* folder = part.find("data_dir"); paths.empty() && folder != nullptr) add_texts(*folder, paths);
  if (const ConfigNode* path = part.find("path"); paths.empty() && path != nullptr) add_texts(*path, paths);
  if (paths.empty()) throw ConfigError(part.where("datasets"), "an entry without path", "path: ...");
  return paths;
}

void add_training_data(const TrlValues& values, TrlData& data) {
  std::vector<std::string> paths;
  std::string origin = "dataset_name";
  if (const ConfigNode* parts = values.node(parts_key); parts != nullptr && !parts->items.empty()) {
    origin = parts_key;
    for (const ConfigNode& part : parts->items) {
      const auto more = paths_of(part, data);
      paths.insert(paths.end(), more.begin(), more.end());
    }
  } else if (values.given("dataset_name")) {
    paths.push_back(values.text("dataset_name"));
  }
  std::string value;
  for (const auto& path : paths) {
    if (names_the_hub(path))
      data.notes.push_back("data.train: attune reads files; where " + path +
                           " is a name of the Hub, download it and name them");
    value += (value.empty() ? "" : ", ") + yaml_text(path);
  }
  if (paths.empty()) data.notes.push_back("data.train: name the data in place of PATH");
  if (paths.size() > 1) value = "[" + value + "]";
  data.lines.push_back({"data.train", paths.empty() ? "PATH" : value, origin});
  for (const char* name : {"dataset_config", "dataset_train_split"}) {
    if (values.given(name))
      data.notes.push_back("data.train: name the files of '" + values.text(name) + "' (" + name + ")");
  }
}

}  // namespace

bool names_the_hub(const std::string& name) {
  if (name.empty() || name[0] == '.' || name[0] == '/' || name[0] == '~') return false;
  constexpr std::string_view endings[] = {".json", ".jsonl", ".gz", ".zst", ".parquet", ".csv", ".tsv", ".arrow", "/"};
  const bool file = std::any_of(std::begin(endings), std::end(endings), [&](auto end) { return name.ends_with(end); });
  return !file && std::count(name.begin(), name.end(), '/') <= 1;
}

TrlData trl_data(const TrlValues& values) {
  TrlData data;
  add_training_data(values, data);
  if (values.given("test_split_size")) {
    const double share = values.number("test_split_size");
    if (share <= 0 || share > 0.9) {
      throw ConfigError(values.where("test_split_size"), "a number of rows", "a share between 0 and 0.9");
    }
    data.lines.push_back({"data.held_out", values.number_text("test_split_size"), "test_split_size"});
  }
  const char* limit =
      values.knows("max_seq_length") && values.given("max_seq_length") ? "max_seq_length" : "max_length";
  const bool unlimited = values.text(limit).empty();
  data.lines.push_back({"data.max_tokens", unlimited ? "1000000" : std::to_string(values.count(limit)),
                        unlimited ? std::string(limit) + " None" : values.remark(limit)});
  if (values.knows("chat_template_path") && values.given("chat_template_path")) {
    const std::string path = values.text("chat_template_path");
    if (path.ends_with(".jinja")) {
      data.lines.push_back({"data.chat_template", yaml_text(path), "chat_template_path"});
    } else {
      data.refused.emplace_back("chat_template_path", "write that tokenizer's template into a .jinja file");
    }
  }
  if (values.knows("train_sampling_strategy")) {
    const std::string order = values.text("train_sampling_strategy");
    data.lines.push_back(
        {"data.shuffle", order == "sequential" ? "false" : "true", values.remark("train_sampling_strategy")});
  }
  return data;
}

}  // namespace attune
