// Fields of a protocol buffers message, one after the other: the wire format alone, every length checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace attune {

struct ProtobufField {
  std::uint32_t number = 0;
  std::uint64_t value = 0;      // of varints and fixed numbers
  std::string_view bytes = {};  // of strings and messages
  bool is_bytes = false;
  bool boolean() const { return value != 0; }
  float number32() const;  // a float's bits
};

class ProtobufReader {
 public:
  // `offset`: where the message begins in its file, for messages.
  ProtobufReader(std::string_view message, std::string file, std::size_t offset = 0)
      : message_(message), file_(std::move(file)), offset_(offset) {}

  // Nothing at the end. Throws FormatError where the message is cut off or no message.
  std::optional<ProtobufField> next();
  std::size_t offset_of(const ProtobufField& field) const {  // of a field with bytes
    return offset_ + static_cast<std::size_t>(field.bytes.data() - message_.data());
  }

 private:
  [[noreturn]] void fail(const std::string& found) const;
  std::uint64_t varint();
  std::uint64_t fixed(std::size_t size);

  std::string_view message_;
  std::string file_;
  std::size_t offset_ = 0, at_ = 0;
};

}  // namespace attune
