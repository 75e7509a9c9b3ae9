// What `loop` is inside a for block.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "attune/text/jinja/value.h"

namespace attune::jinja {

// The items of a loop, each tested only when it is asked for: a condition may look at what the body has changed.
class LoopSource {
 public:
  LoopSource(std::vector<Value> items, std::function<bool(const Value&)> accepts)
      : items_(std::move(items)), accepts_(std::move(accepts)) {}

  std::optional<Value> next();
  void exhaust();                                           // tests all that is left at once, for loop.length
  std::size_t left() const { return items_.size() - at_; }  // behind exhaust()
  void detach() { at_ = items_.size(); }                    // the loop is over; `accepts` is not called any more

 private:
  std::vector<Value> items_;
  std::function<bool(const Value&)> accepts_;
  std::size_t at_ = 0;
  bool tested_ = false;
};

class Loop final : public Object {
 public:
  explicit Loop(std::shared_ptr<LoopSource> source) : source_(std::move(source)) {}

  bool advance();
  const Value& item() const { return *item_; }
  std::optional<Value> attribute(Interpreter& interpreter, std::string_view name) override;

 private:
  const std::optional<Value>& peek();
  std::int64_t length();

  std::shared_ptr<LoopSource> source_;
  std::optional<Value> previous_ = {}, item_ = {}, ahead_ = {};
  bool peeked_ = false;
  std::optional<std::int64_t> length_ = {};
  std::int64_t index_ = -1;  // from 0
  std::shared_ptr<std::vector<Value>> last_changed_ = {};
};

}  // namespace attune::jinja
