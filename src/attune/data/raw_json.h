// The members of a JSON object and the items of a list as the bytes they were written in. Columns that no format knows
// travel this way, so that big integers, number spellings and their order survive.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attune {

struct RawMember {
  std::string key = {};         // unescaped
  std::string_view value = {};  // the value's text, without blanks around it
};

// Both take valid JSON (what Json::parse accepted) and return views into it; empty for another type.
std::vector<RawMember> raw_members(std::string_view object);
std::vector<std::string_view> raw_items(std::string_view list);

// Builds the text of an object from raw values.
class RawObject {
 public:
  RawObject& add(std::string_view key, std::string_view raw_value);
  RawObject& add_all(std::string_view raw_object);  // every member of another object; empty text: none
  bool empty() const { return text_.empty(); }
  std::string str() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

// The raw value of a member, or empty. The last one of that name, as everywhere.
std::string_view raw_member(std::string_view object, std::string_view key);

}  // namespace attune
