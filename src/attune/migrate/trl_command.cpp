#include "attune/migrate/trl_command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/migrate/shell.h"
#include "attune/migrate/trl_keys.h"

namespace attune {
namespace {

constexpr std::string_view known_trainers = "sft, dpo, kto, cpo or orpo";
constexpr std::array other_trainers{"grpo", "rloo", "ppo", "gkd",  "distillation", "online_dpo", "nash_md", "xpo",
                                    "bco",  "prm",  "tpo", "gold", "minillm",      "vllm-serve", "env"};

const TrlTrainer* find_trainer(std::string_view name) {
  for (const TrlTrainer& trainer : trl_trainers()) {
    if (trainer.name == name) return &trainer;
  }
  return nullptr;
}

const TrlTrainer& trainer_of(const std::string& name, const Where& where) {
  if (const TrlTrainer* trainer = find_trainer(name)) return *trainer;
  throw UsageError(where, "the trainer '" + name + "', for which there is no translation", std::string(known_trainers));
}

bool is_trainer(std::string_view name) {
  return find_trainer(name) != nullptr ||
         std::find(other_trainers.begin(), other_trainers.end(), name) != other_trainers.end();
}

std::int64_t count_of(const std::string& text, const std::string& option, const Where& where) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > 1000000) {
    throw UsageError(where, option + " '" + text + "'", "a whole number above 0", "or say --devices N");
  }
  return value;
}

// The trainer that a script's name holds as a word of its own: run_dpo.py, dpo.py, reward_modeling.py.
std::string trainer_in(std::string_view word) {
  const std::size_t slash = word.find_last_of('/');
  if (slash != std::string_view::npos) word.remove_prefix(slash + 1);
  if (word.starts_with("trl.scripts.")) {
    word.remove_prefix(12);
  } else if (word.ends_with(".py")) {
    word.remove_suffix(3);
  } else {
    return "";
  }
  for (const char* other : other_trainers) {
    if (word == other) return other;
  }
  while (!word.empty()) {
    const std::size_t end = std::min(word.find_first_of("_-"), word.size());
    if (find_trainer(word.substr(0, end)) != nullptr) return std::string(word.substr(0, end));
    word.remove_prefix(std::min(end + 1, word.size()));
  }
  return "";
}

struct Found {
  std::string trainer = {};
  std::size_t first_argument = 0;
};

// Where a command names its trainer; an empty trainer where it does not.
Found find_trainer_word(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool named = words[i] == "trl" || words[i].ends_with("/trl");
    const bool more = i + 1 < words.size();
    // Elsewhere the word is an argument: pip install trl peft.
    const bool program = i == 0 || words[i - 1] == "-m" || (more && is_trainer(words[i + 1]));
    if (named && more && program) return {words[i + 1], i + 2};
    if (const std::string trainer = trainer_in(words[i]); !trainer.empty()) return {trainer, i + 1};
  }
  return {};
}

bool is_flag(const std::string& word) { return word.size() > 2 && word.starts_with("--"); }

ConfigNode scalar(std::string text, const std::string& file, std::int64_t line) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::scalar;
  node.text = std::move(text);
  node.file = file;
  node.line = line;
  return node;
}

void set(std::vector<ConfigNode::Member>& members, std::string name, ConfigNode value) {
  for (auto& member : members) {
    if (member.first != name) continue;
    member.second = std::move(value);
    return;
  }
  members.emplace_back(std::move(name), std::move(value));
}

// --name value ..., --name=value, --name alone for true, --no_name for false; dashes and underscores are the same.
std::vector<ConfigNode::Member> read_flags(const ShellCommand& command, std::size_t first, const std::string& file) {
  std::vector<ConfigNode::Member> result;
  const auto& words = command.words;
  for (std::size_t i = first; i < words.size();) {
    if (!is_flag(words[i])) {
      throw UsageError({.file = file, .line = command.line}, "a value without an option before it", "--NAME VALUE");
    }
    std::string name = words[i].substr(2);
    std::vector<std::string> values;
    if (const std::size_t equals = name.find('='); equals != std::string::npos) {
      values.push_back(name.substr(equals + 1));
      name.resize(equals);
    }
    std::replace(name.begin(), name.end(), '-', '_');
    for (++i; i < words.size() && !is_flag(words[i]); ++i) values.push_back(words[i]);
    ConfigNode node = scalar(values.empty() ? "true" : values[0], file, command.line);
    if (name.starts_with("no_") && values.empty()) {
      name.erase(0, 3);
      node.text = "false";
    } else if (values.size() > 1) {
      node.kind = ConfigNode::Kind::list;
      node.text.clear();
      for (auto& value : values) node.items.push_back(scalar(std::move(value), file, command.line));
    } else if (node.text.starts_with("{") || node.text.starts_with("[")) {
      node = parse_yaml(node.text, file);
      node.line = command.line;
    }
    set(result, std::move(name), std::move(node));
  }
  return result;
}

// A file that a script names, as seen from here or from the script's folder.
Path beside(const std::string& name, const std::string& file) {
  const Path path(name), other = Path(file).parent_path() / name;
  return !std::filesystem::exists(path) && std::filesystem::exists(other) ? other : path;
}

// Processes of an accelerate configuration: a file, or the name of one that TRL ships (eight processes each).
std::int64_t processes_of(const std::string& name, const std::string& file, const Where& where) {
  constexpr std::array shipped{"fsdp1", "fsdp2", "multi_gpu", "zero1", "zero2", "zero3"};
  if (name == "single_gpu") return 1;
  if (std::find(shipped.begin(), shipped.end(), name) != shipped.end()) return 8;
  const Path path = beside(name, file);
  if (!std::filesystem::exists(path)) {
    throw UsageError(where, "the accelerate configuration '" + name + "', which is not there", "",
                     "say how many devices it means: --devices N");
  }
  const ConfigNode root = read_yaml(path);
  const ConfigNode* kind = root.find("distributed_type");
  const ConfigNode* processes = root.find("num_processes");
  if (kind != nullptr && kind->text == "NO") return 1;
  return processes == nullptr ? 1 : count_of(processes->text, "num_processes", processes->where("num_processes"));
}

// What launchers say before the script, and `trl` itself behind the trainer.
std::int64_t launched_devices(const ShellCommand& command, std::size_t end, const std::string& file) {
  const Where where{.file = file, .line = command.line};
  std::int64_t per_node = 0, nodes = 1;
  std::string configuration;
  const auto& words = command.words;
  for (std::size_t i = 0; i < end; ++i) {
    std::string name = words[i].substr(0, words[i].find('='));
    const std::string value = name.size() < words[i].size() ? words[i].substr(name.size() + 1)
                              : i + 1 < end                 ? words[i + 1]
                                                            : "";
    std::replace(name.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(2, name.size())), name.end(), '-',
                 '_');
    if (name == "--num_processes" || name == "--nproc_per_node" || name == "--num_gpus")
      per_node = count_of(value, name, where);
    if (name == "--nnodes") nodes = count_of(value, name, where);
    if (name == "--config_file") configuration = value;
  }
  const bool several = std::find(words.begin(), words.end(), "--multi_gpu") != words.end();
  if (per_node == 0 && configuration.empty() && several) {
    throw UsageError(where, "--multi_gpu without a number of processes", "",
                     "say how many devices it means: --devices N");
  }
  if (per_node == 0) per_node = configuration.empty() ? 1 : processes_of(configuration, file, where);
  return per_node * nodes;
}

// Takes an argument out of the list.
std::optional<ConfigNode> take(std::vector<ConfigNode::Member>& members, std::string_view name) {
  const auto found = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == name; });
  if (found == members.end()) return std::nullopt;
  ConfigNode node = std::move(found->second);
  members.erase(found);
  return node;
}

// What the user or the arguments say of the number of devices; the arguments are taken out.
std::optional<std::int64_t> take_devices(const TrlSource& source, std::vector<ConfigNode::Member>& arguments) {
  const auto configuration = take(arguments, "accelerate_config");
  const auto processes = take(arguments, "num_processes");
  if (source.devices) return source.devices;
  if (processes) return count_of(processes->text, "num_processes", processes->where(""));
  if (configuration) return processes_of(configuration->text, source.file, configuration->where(""));
  return std::nullopt;
}

std::vector<ConfigNode::Member> members_of(ConfigNode root) {
  if (root.kind != ConfigNode::Kind::map)
    throw ConfigError(root.where(""), "no map of TRL's arguments", "KEY: VALUE lines");
  return std::move(root.members);
}

TrlCommand from_shell(const TrlSource& source) {
  std::vector<ShellCommand> commands = shell_commands(source.text, source.file);
  std::erase_if(commands, [](const ShellCommand& c) { return find_trainer_word(c.words).trainer.empty(); });
  if (commands.empty()) {
    throw UsageError({.file = source.file}, "no command of TRL", "'trl dpo ...' or 'accelerate launch .../dpo.py ...'");
  }
  if (commands.size() > 1) {
    throw UsageError({.file = source.file, .line = commands[1].line}, "a second training command", "one a file");
  }
  const ShellCommand& command = commands.front();
  const Where where{.file = source.file, .line = command.line};
  if (!command.unresolved.empty()) {
    throw UsageError(where, command.unresolved + ", whose value the file does not say", "", "write it out");
  }
  const Found found = find_trainer_word(command.words);
  TrlCommand result;
  const TrlTrainer& trainer = trainer_of(found.trainer, where);
  result.trainer = trainer.name;
  result.letter = trainer.letter;
  result.file = source.file;
  auto flags = read_flags(command, found.first_argument, source.file);
  if (const auto config = take(flags, "config")) {
    result.arguments = members_of(read_yaml(beside(config->text, source.file)));
  }
  for (auto& [name, value] : flags) set(result.arguments, name, std::move(value));
  const auto named = take_devices(source, result.arguments);
  result.devices = named ? *named : launched_devices(command, found.first_argument, source.file);
  return result;
}

TrlCommand from_yaml(const TrlSource& source) {
  if (!source.trainer) {
    throw UsageError({.file = source.file}, "no trainer named: TRL's YAML does not say it", "",
                     "add --trainer " + std::string(known_trainers));
  }
  TrlCommand result;
  const TrlTrainer& trainer = trainer_of(*source.trainer, {});
  result.trainer = trainer.name;
  result.letter = trainer.letter;
  result.file = source.file;
  result.arguments = members_of(parse_yaml(source.text, source.file));
  result.devices = take_devices(source, result.arguments).value_or(1);
  return result;
}

}  // namespace

const ConfigNode* TrlCommand::find(std::string_view name) const {
  for (const auto& member : arguments) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

TrlCommand read_trl_command(const TrlSource& source) {
  const bool yaml = source.file.ends_with(".yaml") || source.file.ends_with(".yml");
  TrlCommand command = yaml ? from_yaml(source) : from_shell(source);
  for (const auto& [name, value] : command.arguments) {
    if (find_trl_key(name, command.letter) != nullptr) continue;
    const std::string near = nearest(name, trl_key_names(command.letter));
    throw ConfigError(value.where(name), "an argument that TRL's " + command.trainer + " does not have", near);
  }
  return command;
}

}  // namespace attune
