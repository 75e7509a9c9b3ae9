#include "attune/columnar/shape.h"

#include <charconv>
#include <cmath>

#include "attune/data/raw_json.h"

namespace attune::columnar {
namespace {

constexpr std::size_t most_members = 1'000;
constexpr std::int64_t exact_in_double = std::int64_t{1} << 53;

}  // namespace

void Shape::merge(Kind kind) {
  if (kind_ == Kind::nothing) kind_ = kind;
  if (kind_ == kind) return;
  const bool numbers = (kind_ == Kind::integer && kind == Kind::real) || (kind_ == Kind::real && kind == Kind::integer);
  kind_ = numbers ? Kind::real : Kind::json;
}

void Shape::learn_number(std::string_view value) {
  if (value.find_first_of(".eE") != std::string_view::npos) {
    double number = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    return merge(read.ec == std::errc() && std::isfinite(number) ? Kind::real : Kind::json);
  }
  std::int64_t number = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
  if (read.ec != std::errc() || value == "-0") return merge(Kind::json);
  if (number > exact_in_double || number < -exact_in_double) large_integers_ = true;
  merge(Kind::integer);
}

void Shape::learn_object(std::string_view value, int depth) {
  ++objects_;
  for (const RawMember& member : raw_members(value)) {
    if (members_.size() > most_members) return merge(Kind::json);
    const auto [at, fresh] = index_.try_emplace(member.key, members_.size());
    if (fresh) members_.emplace_back(member.key, std::make_unique<Shape>());
    members_[at->second].second->learn(member.value, depth - 1);
  }
}

void Shape::learn(std::string_view value, int depth) {
  ++seen_;
  const char first = value.empty() ? 'n' : value.front();
  if (first == 'n') {
    ++nulls_;
    return;
  }
  if (kind_ == Kind::json) return;
  if ((first == '{' || first == '[') && depth == 0) return merge(Kind::json);
  switch (first) {
    case '{':
      merge(Kind::object);
      return learn_object(value, depth);
    case '[':
      merge(Kind::list);
      if (!item_) item_ = std::make_unique<Shape>();
      for (const std::string_view item : raw_items(value)) item_->learn(item, depth - 1);
      return;
    case '"':
      return merge(Kind::text);
    case 't':
    case 'f':
      return merge(Kind::boolean);
    default:
      return learn_number(value);
  }
}

Shape::Kind Shape::kind() const {
  if (kind_ == Kind::real && large_integers_) return Kind::json;
  if (kind_ != Kind::object) return kind_;
  return members_.empty() || members_.size() > most_members ? Kind::json : Kind::object;
}

bool Shape::is_json_member(const Shape& member) const {
  const bool missing_or_null = sometimes_missing(member) && member.nulls_ > 0;
  return missing_or_null || member.kind() == Kind::json;
}

}  // namespace attune::columnar
