#include "attune/text/files/gguf_metadata.h"

#include <bit>

#include "attune/base/errors.h"

namespace attune {
namespace {

constexpr std::string_view magic = "GGUF";
constexpr std::uint32_t oldest_version = 2, newest_version = 3;
enum Type : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

class Reader {
 public:
  Reader(std::string_view bytes, std::string file) : bytes_(bytes), file_(std::move(file)), at_(magic.size()) {}

  std::uint64_t header() {
    const std::uint64_t version = whole(4);
    if (version < oldest_version || version > newest_version) fail("version " + std::to_string(version));
    whole(8);  // tensors
    const std::uint64_t pairs = whole(8);
    if (pairs > bytes_.size()) fail(std::to_string(pairs) + " keys");
    return pairs;
  }

  std::size_t position() const { return at_; }

  std::string text() {
    const std::uint64_t size = whole(8);
    if (size > bytes_.size() - at_) fail("the end inside a text");
    std::string result(bytes_.substr(at_, size));
    at_ += size;
    return result;
  }

  GgufValue value() {
    const auto type = static_cast<std::uint32_t>(whole(4));
    if (type != array) return single(type);
    const auto items = static_cast<std::uint32_t>(whole(4));
    const std::uint64_t count = whole(8);
    // Every item takes a byte at least: a lying count cannot make much of memory.
    if (count > bytes_.size() - at_) fail("a list of " + std::to_string(count) + " items");
    if (items == string) return list<std::string>(count, items);
    if (items == f32 || items == f64) return list<double>(count, items);
    if (items == array) fail("a list of lists");
    if (items != boolean) return list<std::int64_t>(count, items);
    std::vector<std::int64_t> flags;
    for (std::uint64_t i = 0; i < count; ++i) flags.push_back(std::get<bool>(single(items)));
    return flags;
  }

 private:
  [[noreturn]] void fail(const std::string& found) const {
    throw FormatError({.file = file_, .offset = static_cast<std::int64_t>(at_)}, found,
                      "the head of a GGUF file of version 2 or 3", "fetch the file again");
  }

  std::uint64_t whole(std::size_t size) {
    if (bytes_.size() - at_ < size) fail("the end of the file");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[at_ + i])) << (8 * i);
    at_ += size;
    return value;
  }

  GgufValue single(std::uint32_t type) {
    switch (type) {
      case u8:
        return static_cast<std::int64_t>(whole(1));
      case i8:
        return std::int64_t{static_cast<std::int8_t>(whole(1))};
      case u16:
        return static_cast<std::int64_t>(whole(2));
      case i16:
        return std::int64_t{static_cast<std::int16_t>(whole(2))};
      case u32:
        return static_cast<std::int64_t>(whole(4));
      case i32:
        return std::int64_t{static_cast<std::int32_t>(whole(4))};
      case f32:
        return double{std::bit_cast<float>(static_cast<std::uint32_t>(whole(4)))};
      case boolean:
        return whole(1) != 0;
      case string:
        return text();
      case u64:
      case i64:
        return static_cast<std::int64_t>(whole(8));
      case f64:
        return std::bit_cast<double>(whole(8));
      default:
        fail("a value of type " + std::to_string(type));
    }
  }

  template <class T>
  std::vector<T> list(std::uint64_t count, std::uint32_t type) {
    std::vector<T> items;
    for (std::uint64_t i = 0; i < count; ++i) items.push_back(std::get<T>(single(type)));
    return items;
  }

  std::string_view bytes_;
  std::string file_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_gguf(std::string_view bytes) { return bytes.starts_with(magic); }

GgufMetadata GgufMetadata::read(std::string_view bytes, const std::string& file) {
  if (!is_gguf(bytes)) throw FormatError({.file = file}, "no GGUF file", "one that begins with GGUF");
  Reader reader(bytes, file);
  GgufMetadata result;
  for (std::uint64_t left = reader.header(); left > 0; --left) {
    std::string key = reader.text();
    result.values_.insert_or_assign(std::move(key), reader.value());
  }
  result.size_ = reader.position();
  return result;
}

}  // namespace attune
