// Fields: one visitor over a configuration struct. A struct says once, in describe(Fields&), what its keys are; readers
// for YAML, help, JSON schema, saving and comparing are visitors over that.
//
//   void describe(Fields& fields) {
//     fields("lr", lr, "peak learning rate").above(0);
//     fields("decay", decay, "how the rate falls after warm-up");   // an enum with enum_names(Decay)
//   }
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "attune/base/json.h"
#include "attune/config/part.h"

namespace attune {

// What a key may hold beyond its type. Bounds are checked when a value is read and written into schemas.
struct Bound {
  double low = 0, high = 0;
  bool has_low = false, has_high = false, open_low = false, open_high = false;
  bool holds(double value) const;
  std::string str() const;  // "above 0", "within 0 and 1"
};

struct EnumAccess {
  std::vector<std::string_view> names;
  std::function<std::size_t()> get;
  std::function<void(std::size_t)> set;
};

using ScalarAccess = std::variant<bool*, std::int64_t*, int*, double*, std::string*, EnumAccess>;

struct ListAccess {
  std::function<std::size_t()> size;
  std::function<void(std::size_t)> resize;
  std::function<void(std::size_t, class Fields&, std::string_view)> visit;  // element i as the field of that key
};

struct OptionalAccess {
  std::function<bool()> has;
  std::function<void(bool)> set;  // true: default-constructed
  std::function<void(class Fields&)> visit;
};

struct ChoiceAccess {
  std::string_view kind;
  std::vector<std::string_view> names;
  std::function<std::string_view()> get;         // empty: none chosen
  std::function<bool(std::string_view)> select;  // false: no such part
  std::function<void(class Fields&)> describe;   // the chosen part's own fields
};

class Fields {
 public:
  virtual ~Fields() = default;

  // Names the rules of the field just visited: fields("beta", beta, "...").above(0).
  class Rules {
   public:
    explicit Rules(Fields& fields) : fields_(&fields) {}
    Rules above(double low) { return bound({.low = low, .has_low = true, .open_low = true}); }
    Rules at_least(double low) { return bound({.low = low, .has_low = true}); }
    Rules within(double low, double high) {
      return bound({.low = low, .high = high, .has_low = true, .has_high = true});
    }
    Rules between(double low, double high) {  // both ends excluded
      return bound({.low = low, .high = high, .has_low = true, .has_high = true, .open_low = true, .open_high = true});
    }
    Rules required() {
      fields_->require_present();
      return *this;
    }

   private:
    Rules bound(Bound value) {
      fields_->apply_bound(value);
      return *this;
    }
    Fields* fields_;
  };

  template <class T>
  Rules operator()(std::string_view key, T& value, std::string_view help);

  // A struct that may be written as one plain value says which key that is, before its fields:
  // `model: path` for `model: {path: path}`.
  virtual void shorthand(std::string_view key) = 0;

 protected:
  virtual void scalar(std::string_view key, ScalarAccess access, std::string_view help) = 0;
  virtual void object(std::string_view key, const std::function<void(Fields&)>& describe, std::string_view help) = 0;
  virtual void list(std::string_view key, const ListAccess& access, std::string_view help) = 0;
  virtual void optional(std::string_view key, const OptionalAccess& access, std::string_view help) = 0;
  virtual void choice(std::string_view key, const ChoiceAccess& access, std::string_view help) = 0;
  virtual void apply_bound(const Bound& bound) = 0;  // of the field visited last
  virtual void require_present() = 0;
};

namespace detail {
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsChoice : std::false_type {};
template <class I>
struct IsChoice<Choice<I>> : std::true_type {
  using Interface = I;
};

template <class E>
EnumAccess enum_access(E& value) {
  const auto names = enum_names(value);  // found beside the enum: an array of pairs (name, value)
  EnumAccess access;
  for (const auto& [name, member] : names) access.names.push_back(name);
  access.get = [&value, names] {
    std::size_t i = 0;
    while (names[i].second != value) ++i;
    return i;
  };
  access.set = [&value, names](std::size_t i) { value = names[i].second; };
  return access;
}

template <class Interface>
ChoiceAccess choice_access(Choice<Interface>& value) {
  ChoiceAccess access;
  access.kind = part_kind<Interface>;
  for (const auto& row : part_rows<Interface>()) access.names.push_back(row.path);
  access.get = [&value] { return value.name(); };
  access.select = [&value](std::string_view name) {
    const auto* row = find_part<Interface>(name);
    if (row != nullptr) value = Choice<Interface>(*row);
    return row != nullptr;
  };
  access.describe = [&value](Fields& fields) {
    value.row()->part->describe(*value, fields);
    if constexpr (part_weighted<Interface>) fields("weight", value.weight, "factor of this part in the sum");
  };
  return access;
}
}  // namespace detail

template <class T>
Fields::Rules Fields::operator()(std::string_view key, T& value, std::string_view help) {
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t> || std::is_same_v<T, int> ||
                std::is_same_v<T, double> || std::is_same_v<T, std::string>) {
    scalar(key, &value, help);
  } else if constexpr (std::is_enum_v<T>) {
    scalar(key, detail::enum_access(value), help);
  } else if constexpr (detail::IsVector<T>::value) {
    list(key,
         {[&value] { return value.size(); }, [&value](std::size_t size) { value.resize(size); },
          [&value](std::size_t i, Fields& fields, std::string_view item) { fields(item, value[i], ""); }},
         help);
  } else if constexpr (detail::IsOptional<T>::value) {
    optional(key,
             {[&value] { return value.has_value(); },
              [&value](bool has) {
                if (has) {
                  value.emplace();
                } else {
                  value.reset();
                }
              },
              [&value, key, help](Fields& fields) { fields(key, *value, help); }},
             help);
  } else if constexpr (detail::IsChoice<T>::value) {
    choice(key, detail::choice_access(value), help);
  } else {
    object(
        key, [&value](Fields& fields) { value.describe(fields); }, help);
  }
  return Rules(*this);
}

}  // namespace attune
