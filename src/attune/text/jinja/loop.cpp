#include "attune/text/jinja/loop.h"

#include <algorithm>

#include "attune/text/jinja/interpreter.h"

namespace attune::jinja {

std::optional<Value> LoopSource::next() {
  while (at_ < items_.size()) {
    const Value item = items_[at_++];
    if (tested_ || accepts_(item)) return item;
  }
  return std::nullopt;
}

void LoopSource::exhaust() {
  if (std::exchange(tested_, true)) return;
  std::vector<Value> accepted;
  for (; at_ < items_.size(); ++at_) {
    if (accepts_(items_[at_])) accepted.push_back(items_[at_]);
  }
  items_ = std::move(accepted);
  at_ = 0;
}

bool Loop::advance() {
  std::optional<Value> next = peeked_ ? std::move(ahead_) : source_->next();
  peeked_ = false;
  if (!next) return false;
  previous_ = std::exchange(item_, std::move(next));
  ++index_;
  return true;
}

const std::optional<Value>& Loop::peek() {
  if (!std::exchange(peeked_, true)) ahead_ = source_->next();
  return ahead_;
}

std::int64_t Loop::length() {
  if (!length_) {
    source_->exhaust();
    const bool ahead = peeked_ && ahead_;
    length_ = index_ + 1 + ahead + static_cast<std::int64_t>(source_->left());
  }
  return *length_;
}

std::optional<Value> Loop::attribute(Interpreter&, std::string_view name) {
  if (name == "index") return Value(index_ + 1);
  if (name == "index0") return Value(index_);
  if (name == "first") return Value(index_ == 0);
  if (name == "last") return Value(!peek());
  if (name == "length") return Value(length());
  if (name == "revindex") return Value(length() - index_);
  if (name == "revindex0") return Value(length() - index_ - 1);
  if (name == "depth") return Value(1);
  if (name == "depth0") return Value(0);
  if (name == "previtem") return previous_ ? *previous_ : Value(Undefined{"there is no previous item"});
  if (name == "nextitem") return peek() ? *peek() : Value(Undefined{"there is no next item"});
  if (name == "cycle") {
    return Value(std::make_shared<const Callable>(
        Callable{"cycle", [index = index_](Interpreter& interpreter, Arguments& arguments) {
                   if (arguments.positional.empty()) interpreter.fail("loop.cycle() without values");
                   return arguments.positional[static_cast<std::size_t>(index) % arguments.positional.size()];
                 }}));
  }
  if (name == "changed") {
    if (!last_changed_) last_changed_ = std::make_shared<std::vector<Value>>();
    return Value(std::make_shared<const Callable>(
        Callable{"changed", [last = last_changed_, first = std::make_shared<bool>(last_changed_->empty())](
                                Interpreter&, Arguments& arguments) {
                   const bool same = !*first && std::equal(last->begin(), last->end(), arguments.positional.begin(),
                                                           arguments.positional.end(),
                                                           [](const Value& a, const Value& b) { return a.equals(b); });
                   *last = arguments.positional;
                   *first = false;
                   return Value(!same);
                 }}));
  }
  return std::nullopt;
}

}  // namespace attune::jinja
