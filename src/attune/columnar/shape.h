// The shape of JSON values that are to become a column, learnt from all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace attune::columnar {

class Shape {
 public:
  enum class Kind {
    nothing,  // never anything but null
    boolean,
    integer,  // of 64 bits, with sign
    real,
    text,
    list,
    object,
    json,  // sometimes one and sometimes another: JSON text
  };

  // One more value: valid JSON. Nesting is followed `depth` levels down; what lies deeper is JSON text.
  void learn(std::string_view value, int depth = 50);

  // What a column of these values is, once all of them are known. Objects without members, with more than 1,000
  // different ones, or with one that is sometimes null and sometimes not there, have no column type that gives them
  // back.
  Kind kind() const;
  bool sometimes_missing(const Shape& member) const { return member.seen_ < objects_; }  // of an object's member
  bool is_json_member(const Shape& member) const;

  const Shape& item() const { return *item_; }
  const std::vector<std::pair<std::string, std::unique_ptr<Shape>>>& members() const { return members_; }

 private:
  void merge(Kind kind);
  void learn_number(std::string_view value);
  void learn_object(std::string_view value, int depth);

  Kind kind_ = Kind::nothing;
  std::int64_t seen_ = 0, nulls_ = 0, objects_ = 0;
  bool large_integers_ = false;  // beyond what a real number holds exactly
  std::unique_ptr<Shape> item_;
  std::vector<std::pair<std::string, std::unique_ptr<Shape>>> members_;  // in the order of their first appearance
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace attune::columnar
