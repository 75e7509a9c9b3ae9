#include "attune/migrate/shell.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

namespace attune {
namespace {

bool name_letter(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The length of the name in `NAME=value`; 0 when the word is no assignment.
std::size_t assigned_name(const std::string& word) {
  std::size_t end = 0;
  while (end < word.size() && name_letter(word[end])) ++end;
  const bool named = end > 0 && end < word.size() && word[end] == '=' && !(word[0] >= '0' && word[0] <= '9');
  return named ? end : 0;
}

class Shell {
 public:
  Shell(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  std::vector<ShellCommand> read() {
    while (at_ < text_.size()) step();
    end_command();
    return std::move(commands_);
  }

 private:
  char next(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void step() {
    const char c = next();
    if (c == '\n' || c == ';' || c == '|' || (c == '&' && !skipping_)) {
      ++at_;
      end_command();
      if (c == '\n') ++line_;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
      end_word();
    } else if (c == '#' && !in_word_) {
      while (at_ < text_.size() && next() != '\n') ++at_;
    } else if ((c == '>' || c == '<')) {
      if (word_ == "1" || word_ == "2") in_word_ = false, word_.clear();
      end_word();
      skipping_ = true;
      ++at_;
    } else if (c == '\\') {
      escape();
    } else if (c == '\'' || c == '"') {
      quoted(c);
    } else if (c == '$' || c == '`') {
      substitute();
    } else {
      add(c);
    }
  }

  void add(char c) {
    word_ += c;
    in_word_ = true;
    ++at_;
  }

  void escape() {
    if (next(1) == '\n' || (next(1) == '\r' && next(2) == '\n')) {
      at_ += next(1) == '\n' ? 2 : 3;
      ++line_;
    } else {
      ++at_;
      if (at_ < text_.size()) add(next());
    }
  }

  void quoted(char quote) {
    const std::int64_t start = line_;
    in_word_ = true;
    ++at_;
    while (next() != quote || at_ >= text_.size()) {
      if (at_ >= text_.size()) throw UsageError({.file = file_, .line = start}, "a quote that is not closed", "", "");
      if (quote == '"' && (next() == '$' || next() == '`')) {
        substitute();
      } else if (quote == '"' && next() == '\\' &&
                 std::string_view("\"\\$`\n").find(next(1)) != std::string_view::npos) {
        escape();
      } else {
        if (next() == '\n') ++line_;
        add(next());
      }
    }
    ++at_;
  }

  // $NAME, ${NAME}, ${NAME:-otherwise}; everything else that a shell would compute stays unresolved.
  void substitute() {
    in_word_ = true;
    const char opening = next(1);
    if (next() == '$' && name_letter(opening)) {
      std::size_t end = at_ + 1;
      while (end < text_.size() && name_letter(text_[end])) ++end;
      resolve(std::string(text_.substr(at_ + 1, end - at_ - 1)), nullptr);
      at_ = end;
      return;
    }
    const std::size_t end = opening == '{' ? text_.find('}', at_) : std::string_view::npos;
    if (next() == '$' && end != std::string_view::npos) {
      const std::string inside(text_.substr(at_ + 2, end - at_ - 2));
      const std::size_t colon = inside.find(":-");
      const std::string otherwise = colon == std::string::npos ? "" : inside.substr(colon + 2);
      resolve(inside.substr(0, colon), colon == std::string::npos ? nullptr : &otherwise);
      at_ = end + 1;
      return;
    }
    unresolved(next() == '`' ? "`...`" : std::string("$") + opening);
    add(next());
  }

  void resolve(const std::string& name, const std::string* otherwise) {
    const auto found = variables_.find(name);
    if (found != variables_.end()) {
      word_ += found->second;
    } else if (otherwise != nullptr) {
      word_ += *otherwise;
    } else {
      unresolved("$" + name);
    }
  }

  void unresolved(const std::string& what) {
    if (command_.unresolved.empty()) command_.unresolved = what;
  }

  void end_word() {
    if (in_word_ && !skipping_) {
      if (command_.words.empty()) command_.line = line_;
      const std::size_t name = command_.words.empty() ? assigned_name(word_) : 0;
      if (name > 0) {
        assignments_.emplace_back(word_.substr(0, name), word_.substr(name + 1));
      } else if (!(command_.words.empty() && (word_ == "export" || word_ == "set" || word_ == "exec"))) {
        command_.words.push_back(word_);
      }
    }
    in_word_ = false;
    word_.clear();
  }

  // Assignments without a command are kept; before a command they are its environment.
  void end_command() {
    end_word();
    if (command_.words.empty() && command_.unresolved.empty()) {
      for (auto& [name, value] : assignments_) variables_[name] = std::move(value);
    }
    if (!command_.words.empty()) commands_.push_back(std::move(command_));
    assignments_.clear();
    command_ = {};
    skipping_ = false;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  std::string word_;
  bool in_word_ = false;
  bool skipping_ = false;  // behind a redirection
  ShellCommand command_;
  std::vector<std::pair<std::string, std::string>> assignments_;
  std::map<std::string, std::string> variables_;
  std::vector<ShellCommand> commands_;
};

}  // namespace

std::vector<ShellCommand> shell_commands(std::string_view text, const std::string& file) {
  return Shell(text, file).read();
}

}  // namespace attune
