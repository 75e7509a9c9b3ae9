#include "attune/text/files/protobuf_reader.h"

#include <bit>

#include "attune/base/errors.h"

namespace attune {

float ProtobufField::number32() const { return std::bit_cast<float>(static_cast<std::uint32_t>(value)); }

void ProtobufReader::fail(const std::string& found) const {
  throw FormatError({.file = file_, .offset = static_cast<std::int64_t>(offset_ + at_)}, found,
                    "a whole message of protocol buffers", "fetch the file again");
}

std::uint64_t ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ == message_.size()) fail("the end inside a number");
    const auto byte = static_cast<unsigned char>(message_[at_++]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail("a number of more than ten bytes");
}

std::uint64_t ProtobufReader::fixed(std::size_t size) {
  if (message_.size() - at_ < size) fail("the end inside a number");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(message_[at_ + i])) << (8 * i);
  at_ += size;
  return value;
}

std::optional<ProtobufField> ProtobufReader::next() {
  if (at_ == message_.size()) return std::nullopt;
  const std::uint64_t key = varint();
  ProtobufField field = {.number = static_cast<std::uint32_t>(key >> 3)};
  if (key >> 3 == 0 || key >> 32 != 0) fail("a field without a number");
  switch (key & 7) {
    case 0:
      field.value = varint();
      return field;
    case 1:
      field.value = fixed(8);
      return field;
    case 2: {
      const std::uint64_t size = varint();
      if (size > message_.size() - at_) fail("the end inside a field");
      field.bytes = message_.substr(at_, size);
      field.is_bytes = true;
      at_ += size;
      return field;
    }
    case 5:
      field.value = fixed(4);
      return field;
    default:
      fail("a field of an unknown sort");
  }
}

}  // namespace attune
