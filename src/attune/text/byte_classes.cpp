#include "attune/text/byte_classes.h"

#include <bit>
#include <cstring>

#include "attune/text/unicode.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attune/text/byte_classes.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first: this file is compiled once a target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace attune::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Classes of 64 bytes. Bytes beyond ASCII are left in `others`, whoever calls looks those up.
ByteClasses classify_ascii(const std::uint8_t* HWY_RESTRICT bytes) {
  const hn::CappedTag<std::uint8_t, ByteClasses::size> d;
  const std::size_t lanes = hn::Lanes(d);
  std::uint64_t letters = 0, numbers = 0, blanks = 0, line_ends = 0, spaces = 0, apostrophes = 0, wide = 0, inner = 0;
  for (std::size_t at = 0; at < ByteClasses::size; at += lanes) {
    const auto c = hn::LoadU(d, bytes + at);
    const auto bits = [&](auto mask) {
      std::uint64_t word = 0;
      hn::StoreMaskBits(d, mask, reinterpret_cast<std::uint8_t*>(&word));
      return word << at;
    };
    const auto among = [&](auto value, char first, int count) {  // first <= value < first + count
      return hn::Lt(hn::Sub(value, hn::Set(d, static_cast<std::uint8_t>(first))),
                    hn::Set(d, static_cast<std::uint8_t>(count)));
    };
    const auto is = [&](char one) { return hn::Eq(c, hn::Set(d, static_cast<std::uint8_t>(one))); };
    letters |= bits(among(hn::Or(c, hn::Set(d, std::uint8_t{0x20})), 'a', 26));
    numbers |= bits(among(c, '0', 10));
    blanks |= bits(hn::Or(is(' '), among(c, '\t', 5)));
    line_ends |= bits(hn::Or(is('\n'), is('\r')));
    spaces |= bits(is(' '));
    apostrophes |= bits(is('\''));
    wide |= bits(hn::Gt(c, hn::Set(d, std::uint8_t{0x7F})));
    inner |= bits(among(c, '\x80', 0x40));
  }
  return {letters, numbers, blanks, wide, line_ends, spaces, apostrophes, inner};
}

}  // namespace attune::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attune {
namespace {

HWY_EXPORT(classify_ascii);

void mark(std::span<ByteClasses> blocks, std::size_t at, CharacterClass kind) {
  ByteClasses& block = blocks[at / ByteClasses::size];
  const std::uint64_t bit = std::uint64_t{1} << (at % ByteClasses::size);
  if (kind == CharacterClass::letter) block.letters |= bit;
  if (kind == CharacterClass::number) block.numbers |= bit;
  if (kind == CharacterClass::blank) block.blanks |= bit;
}

// The characters beyond ASCII that begin in block k: all their bytes get their class, also those in the next block.
void classify_wide(std::string_view text, std::size_t k, std::span<ByteClasses> blocks) {
  std::uint64_t leads = blocks[k].others & ~blocks[k].continued;
  for (; leads != 0; leads &= leads - 1) {
    const std::size_t at = k * ByteClasses::size + static_cast<std::size_t>(std::countr_zero(leads));
    const CodePoint c = code_point_at(text, at);
    const CharacterClass kind = character_class(c.value);
    for (std::size_t i = 0; i < c.size; ++i) mark(blocks, at + i, kind);
  }
}

}  // namespace

void classify_bytes(std::string_view text, std::span<ByteClasses> blocks) {
  constexpr std::size_t size = ByteClasses::size;
  const auto classify = HWY_DYNAMIC_DISPATCH(classify_ascii);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const std::size_t whole = text.size() / size, rest = text.size() % size;
  for (std::size_t k = 0; k < whole; ++k) blocks[k] = classify(bytes + k * size);
  if (rest > 0) {
    std::uint8_t last[size] = {};  // zeros are of no class but `others`, which is made below
    std::memcpy(last, bytes + whole * size, rest);
    blocks[whole] = classify(last);
  }
  for (std::size_t k = 0; k < whole + (rest > 0); ++k) {
    if (blocks[k].others != 0) classify_wide(text, k, blocks);
    const std::uint64_t inside = k < whole ? ~std::uint64_t{0} : (std::uint64_t{1} << rest) - 1;
    blocks[k].others = inside & ~(blocks[k].letters | blocks[k].numbers | blocks[k].blanks);
  }
}

}  // namespace attune
#endif
