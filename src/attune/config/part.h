// Parts: the folder is the catalogue. A new objective, format, report, ... is one .cpp with one ATTUNE_PART; the build
// collects them into one table a kind (no static self-registration, which linkers drop from static libraries).
//
//   class DpoShift final : public Objective {           // the type is its own configuration
//     double beta = 0.1;
//    public:
//     void describe(Fields& fields) { fields("beta", beta, "pull to the reference").above(0); }
//     ...
//   };
//   ATTUNE_PART(Objective, dpo_shift, DpoShift, .summary = "...", .formula = "...", .paper = "...");
//
// The file is dpo_shift.cpp (or dpo-shift.cpp), the name users write is its path in the folder with '-' for '_'.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/json.h"

namespace attune {

class Fields;

struct PartText {
  const char* summary = "";  // one sentence
  const char* formula = "";  // in plain text, with equation numbers; empty where there is none
  const char* paper = "";    // authors, year, title, identifier
};

template <class Interface>
struct Part {
  std::unique_ptr<Interface> (*make)() = nullptr;
  void (*describe)(Interface&, Fields&) = nullptr;
  PartText text = {};
};

template <class Interface>
struct PartRow {
  std::string_view path;
  const Part<Interface>* part = nullptr;
};

// All parts of a kind, sorted by path. Specialised by the generated table.
template <class Interface>
std::span<const PartRow<Interface>> part_rows();

// Each interface of parts names its kind: template <> inline constexpr std::string_view part_kind<Objective> =
// "objective".
template <class Interface>
inline constexpr std::string_view part_kind = "";

template <class Interface, class Type>
constexpr Part<Interface> make_part(PartText text) {
  return {[]() -> std::unique_ptr<Interface> { return std::make_unique<Type>(); },
          [](Interface& part, Fields& fields) { static_cast<Type&>(part).describe(fields); }, text};
}

#define ATTUNE_PART(Interface, symbol, Type, ...)                 \
  extern constinit const ::attune::Part<Interface> part_##symbol; \
  constinit const ::attune::Part<Interface> part_##symbol = ::attune::make_part<Interface, Type>({__VA_ARGS__})

// nullptr when there is none of that name.
template <class Interface>
const PartRow<Interface>* find_part(std::string_view path) {
  for (const auto& row : part_rows<Interface>()) {
    if (row.path == path) return &row;
  }
  return nullptr;
}

// A part chosen by name, made and configured: what a run file's `objective: {dpo: {beta: 0.2}}` becomes.
template <class Interface>
class Choice {
 public:
  Choice() = default;
  explicit Choice(const PartRow<Interface>& row) : row_(&row), made_(row.part->make()) {}
  explicit operator bool() const { return made_ != nullptr; }
  std::string_view name() const { return row_ != nullptr ? row_->path : std::string_view(); }
  const PartRow<Interface>* row() const { return row_; }
  Interface& operator*() const { return *made_; }
  Interface* operator->() const { return made_.get(); }
  double weight = 1;  // of parts that add up (objectives, rewards): the option every one of them has

 private:
  const PartRow<Interface>* row_ = nullptr;
  std::shared_ptr<Interface> made_;
};

// Kinds whose members add up get the option `weight`.
template <class Interface>
inline constexpr bool part_weighted = false;

}  // namespace attune
