#include "attune/cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "attune/base/errors.h"

namespace attune {
namespace {

bool is_option(const std::string& word) { return word.size() > 2 && word.starts_with("--"); }

template <class Number>
bool parse(const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

Arguments::Arguments(std::string verb, std::vector<std::string> words) : verb_(std::move(verb)) {
  bool plain = false;
  for (auto& word : words) {
    if (!plain && word == "--") {
      plain = true;
    } else {
      (plain ? plain_ : words_).push_back(std::move(word));
    }
  }
}

bool Arguments::flag(std::string_view name) {
  known_.emplace_back(name);
  return std::erase(words_, std::string(name)) > 0;
}

std::vector<std::string> Arguments::every(std::string_view name) {
  known_.emplace_back(name);
  std::vector<std::string> values;
  const std::string head = std::string(name) + "=";
  for (auto word = words_.begin(); word != words_.end();) {
    if (word->starts_with(head)) {
      values.push_back(word->substr(head.size()));
      word = words_.erase(word);
    } else if (*word == name) {
      word = words_.erase(word);
      if (word == words_.end()) fail("no value after " + std::string(name));
      values.push_back(std::move(*word));
      word = words_.erase(word);
    } else {
      ++word;
    }
  }
  return values;
}

std::optional<std::string> Arguments::option(std::string_view name) {
  auto values = every(name);
  if (values.empty()) return std::nullopt;
  return std::move(values.back());
}

std::vector<std::string> Arguments::list(std::string_view name) {
  known_.emplace_back(name);
  std::vector<std::string> values;
  for (auto word = words_.begin(); word != words_.end();) {
    if (*word != name) {
      ++word;
      continue;
    }
    word = words_.erase(word);
    const auto end = std::find_if(word, words_.end(), is_option);
    if (word == end) fail("no value after " + std::string(name));
    values.insert(values.end(), std::move_iterator(word), std::move_iterator(end));
    word = words_.erase(word, end);
  }
  return values;
}

std::string Arguments::required(std::string_view name) {
  auto value = option(name);
  if (!value) fail("no " + std::string(name), std::string(name) + " VALUE");
  return *std::move(value);
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t otherwise) {
  if (const auto text = option(name); text && !parse(*text, otherwise)) {
    fail(std::string(name) + " '" + *text + "'", "a whole number");
  }
  return otherwise;
}

double Arguments::number(std::string_view name, double otherwise) {
  if (const auto text = option(name); text && !parse(*text, otherwise)) {
    fail(std::string(name) + " '" + *text + "'", "a number");
  }
  return otherwise;
}

std::optional<std::string> Arguments::first_word() {
  if (words_.empty() || is_option(words_.front())) return std::nullopt;
  std::string word = std::move(words_.front());
  words_.erase(words_.begin());
  return word;
}

std::string Arguments::action(std::string_view what) {
  auto word = first_word();
  if (!word) fail("no word that says what to do", std::string(what));
  return *std::move(word);
}

std::vector<std::string> Arguments::rest(std::size_t least, std::size_t most, std::string_view what) {
  for (const auto& word : words_) {
    if (!is_option(word)) continue;
    const std::string name = word.substr(0, word.find('='));
    const std::string near = nearest(name, known_);
    fail("the unknown option " + name, near.empty() ? "" : near);
  }
  std::vector<std::string> words = words_;
  words.insert(words.end(), plain_.begin(), plain_.end());
  if (words.size() < least) fail("too few words", std::string(what));
  if (words.size() > most) fail("'" + words[most] + "', a word too many", std::string(what));
  return words;
}

void Arguments::fail(std::string found, std::string expected) const {
  throw UsageError({}, std::move(found), std::move(expected), "see 'attune " + verb_ + " --help'");
}

}  // namespace attune
