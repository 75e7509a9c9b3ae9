// The words after a verb. A verb asks for the options it knows, then takes the rest; whatever nobody asked for is
// refused with the nearest right spelling. (CLI11 costs nine seconds a file and does neither key=value nor spelling.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

class Arguments {
 public:
  Arguments(std::string verb, std::vector<std::string> words);

  bool flag(std::string_view name);                          // flag("--json")
  std::optional<std::string> option(std::string_view name);  // --name VALUE or --name=VALUE; the last one counts
  std::vector<std::string> every(std::string_view name);     // an option that may be given several times
  // --name A B C: all words up to the next option, of every time it is given; empty when it is not. UsageError for an
  // option without a word.
  std::vector<std::string> list(std::string_view name);
  std::string required(std::string_view name);  // throws UsageError when absent
  std::int64_t integer(std::string_view name, std::int64_t otherwise);
  double number(std::string_view name, double otherwise);

  // Takes the first word where it is no option.
  std::optional<std::string> first_word();
  // Takes the first plain word, which says what to do: `attune data ACTION ...`. It must stand before any option.
  std::string action(std::string_view what);

  // The plain words, in order. Call it last: throws UsageError for options nobody asked for, and when there are fewer
  // than `least` or more than `most`; `what` says what they should be ("PATH").
  std::vector<std::string> rest(std::size_t least, std::size_t most, std::string_view what);

  const std::string& verb() const { return verb_; }
  [[noreturn]] void fail(std::string found, std::string expected = {}) const;  // UsageError pointing at the verb's help

 private:
  std::string verb_;
  std::vector<std::string> words_;  // options are taken out as they are asked for
  std::vector<std::string> plain_;  // behind "--"
  std::vector<std::string> known_;
};

}  // namespace attune
