// The program: finds the verb, runs it, and turns every error into one line and the right exit code.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/cli/answer.h"
#include "attune/cli/verbs.h"

namespace attune {
namespace {

std::string help() {
  std::string text =
      "attune aligns language models with human preferences.\n\n"
      "usage: attune VERB [arguments] [--errors=json] [--quiet] [--verbose]\n\n";
  for (const Verb& verb : verbs()) {
    std::string name = "  attune " + std::string(verb.name);
    name.resize(std::max<std::size_t>(name.size() + 1, 20), ' ');
    text += name + std::string(verb.summary) + "\n";
  }
  return text + "\n'attune VERB --help' says more about a verb.\n";
}

int dispatch(std::vector<std::string> words) {
  Answer answer;
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    answer.text(help());
    answer.finish();
    return 0;
  }
  if (words[0] == "--version") {
    answer.text("attune " ATTUNE_VERSION "\n");
    answer.finish();
    return 0;
  }
  const std::string name = words[0];
  const auto table = verbs();
  const auto verb = std::find_if(table.begin(), table.end(), [&](const Verb& row) { return row.name == name; });
  if (verb == table.end()) {
    std::vector<std::string_view> names;
    for (const Verb& row : table) names.push_back(row.name);
    const std::string near = nearest(name, names);
    throw UsageError({}, "the unknown verb '" + name + "'", near, "see 'attune --help'");
  }
  words.erase(words.begin());
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    answer.text(std::string(verb->usage));
    answer.finish();
    return 0;
  }
  Arguments arguments(name, std::move(words));
  return verb->run != nullptr ? verb->run(arguments) : run_in_torch_half(verb->name, arguments);
}

int report(const Error& error, bool as_json) {
  if (as_json) {
    std::fprintf(stderr, "%s\n", error.json().c_str());
  } else {
    std::fprintf(stderr, "attune: error[%s]: %s\n", std::string(name(error.kind())).c_str(), error.what());
  }
  return exit_code(error.kind());
}

int run(int count, char** values) {
  bool as_json = false;
  std::vector<std::string> words;
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    if (word == "--errors=json") {
      as_json = true;
    } else if (word == "--quiet") {
      set_log_level(LogLevel::quiet);
    } else if (word == "--verbose") {
      set_log_level(LogLevel::debug);
    } else {
      words.push_back(word);
    }
  }
  try {
    return dispatch(std::move(words));
  } catch (const Error& error) {
    return report(error, as_json);
  } catch (const std::bad_alloc&) {
    return report(DeviceError({}, "not enough memory", "", "use a smaller batch.tokens or a smaller model"), as_json);
  } catch (const std::exception& error) {
    return report(InternalError({}, error.what(), "", "this is a bug of attune: please report it"), as_json);
  }
}

}  // namespace
}  // namespace attune

int main(int count, char** values) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that left is an error of write(), not a death
  return attune::run(count, values);
}
