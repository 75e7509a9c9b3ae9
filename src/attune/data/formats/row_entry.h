// A JSON object of a row that is being read or being written: the same calls do both, so that what a format reads and
// what it writes cannot drift apart.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/json.h"
#include "attune/data/format.h"

namespace attune::formats {

class Entry {
 public:
  // Reading: members of `object`, which must outlive the entry. Problems go to the context under `path`.
  Entry(const Json& object, std::string path, RowContext& context);
  // Writing: members of an object that `finish` gives.
  Entry() = default;

  bool reading() const { return in_ != nullptr; }
  const Json& whole() const { return *in_; }  // reading: the object itself

  // Reading: sets the value; a missing member or one of another type is reported. Writing: adds the member.
  void text(std::string_view key, std::string& value);
  // The same for members that may be missing or null, which read as empty; an empty one is not written.
  void optional_text(std::string_view key, std::string& value);
  void integer(std::string_view key, std::optional<double>& value);
  void real(std::string_view key, std::optional<double>& value);
  void boolean(std::string_view key, std::optional<bool>& value);
  void texts(std::string_view key, std::vector<std::string>& value);

  // A nested object; one that is missing or null is not visited when reading.
  void object(std::string_view key, const std::function<void(Entry&)>& visit);
  // A list of objects: reading visits each item, writing makes `count` of them.
  void list(std::string_view key, std::size_t count, const std::function<void(Entry&, std::size_t)>& visit);
  // The members that nobody asked for, as one JSON object (empty: none), to be kept or to be written back.
  void rest(std::string& extra_json);

  const Json* in(std::string_view key);        // reading: nullptr when missing or null
  void out(std::string_view key, Json value);  // writing
  void fail(std::string_view key, std::string found, std::string expected);
  void fail_type(std::string_view key, const Json& value, std::string expected);
  std::string path(std::string_view key) const;
  RowContext& context() { return *context_; }
  Json finish() { return std::move(out_); }

 private:
  const Json* required(std::string_view key, std::string_view expected);

  const Json* in_ = nullptr;
  Json out_ = Json::object();
  std::string path_;
  RowContext* context_ = nullptr;
  std::vector<std::string> known_;
};

}  // namespace attune::formats
