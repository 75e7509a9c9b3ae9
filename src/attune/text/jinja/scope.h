// Names and their values: blocks of loops, macros and others have scopes of their own, branches have not.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/text/jinja/value.h"

namespace attune::jinja {

class Scope {
 public:
  explicit Scope(std::shared_ptr<Scope> outer = nullptr) : outer_(std::move(outer)) {}

  const Value* own(std::string_view name) const {
    for (const auto& [key, value] : values_) {
      if (key == name) return &value;
    }
    return nullptr;
  }
  const Value* find(std::string_view name) const {
    for (const Scope* scope = this; scope; scope = scope->outer_.get()) {
      if (const Value* value = scope->own(name)) return value;
    }
    return nullptr;
  }
  void set(std::string_view name, Value value) {
    for (auto& [key, old] : values_) {
      if (key == name) {
        old = std::move(value);
        return;
      }
    }
    values_.emplace_back(std::string(name), std::move(value));
  }
  void clear() { values_.clear(); }

 private:
  std::shared_ptr<Scope> outer_;
  std::vector<std::pair<std::string, Value>> values_;
};

// Makes a new scope the current one while it lives: inside the current one, or inside `outer`.
class ScopeChange {
 public:
  explicit ScopeChange(std::shared_ptr<Scope>& current) : ScopeChange(current, current) {}
  ScopeChange(std::shared_ptr<Scope>& current, std::shared_ptr<Scope> outer)
      : current_(current), previous_(std::exchange(current, std::make_shared<Scope>(std::move(outer)))) {}
  ~ScopeChange() { current_ = std::move(previous_); }
  ScopeChange(const ScopeChange&) = delete;
  ScopeChange& operator=(const ScopeChange&) = delete;

 private:
  std::shared_ptr<Scope>& current_;
  std::shared_ptr<Scope> previous_;
};

}  // namespace attune::jinja
