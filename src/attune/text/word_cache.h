// Most words of a text have been seen before: each thread remembers the ids of short ones.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace attune {

// Two words to a cache line. The one used last stands first, the other one is replaced.
class WordCache {
 public:
  static constexpr std::size_t longest = 15;  // bytes of a word
  static constexpr std::size_t most_ids = 4;  // of one word

  // A word as two numbers: its bytes, zeros behind them, and its length in the last byte.
  struct Key {
    std::uint64_t low = 0, high = 0;
    bool operator==(const Key&) const = default;
  };
  // `word` is at most `longest` bytes; `readable` bytes may be read from its begin.
  static Key key_of(std::string_view word, std::size_t readable);

  // The calling thread's cache of the tokenizer with this serial number (from 1).
  static WordCache& of_this_thread(std::uint64_t serial);

  // Writes `most_ids` ids, of which the returned number (0: the word is not known) are the word's.
  std::size_t find(const Key& key, std::int32_t* ids);
  void store(const Key& key, std::span<const std::int32_t> ids);  // 1 to most_ids ids

 private:
  static constexpr std::size_t bucket_bits = 16;
  static constexpr std::int32_t id_mask = 0xFFFFFF;  // ids are below 2^24; the first one's top byte holds their number
  static constexpr int count_shift = 24;
  struct Entry {
    Key key = {};
    std::array<std::int32_t, most_ids> ids = {};
  };
  struct alignas(64) Bucket {
    Entry recent = {}, older = {};
  };
  struct Free {
    void operator()(Bucket* buckets) const { std::free(buckets); }
  };

  Bucket& bucket_of(const Key& key) {
    std::uint64_t mixed = (key.low ^ (key.high * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL;
    mixed = (mixed ^ (mixed >> 32)) * 0x9E3779B97F4A7C15ULL;
    return buckets_.get()[mixed >> (64 - bucket_bits)];
  }

  std::unique_ptr<Bucket, Free> buckets_;
  std::uint64_t serial_ = 0;
  std::uint64_t last_use_ = 0;
};

inline WordCache::Key WordCache::key_of(std::string_view word, std::size_t readable) {
  Key key;
  if (readable >= sizeof(Key)) {
    // Two whole loads and a cut are faster than copying an unknown number of bytes.
    std::memcpy(&key, word.data(), sizeof key);
    const std::size_t bits = word.size() * 8;
    key.low &= bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    key.high &= bits <= 64 ? 0 : (std::uint64_t{1} << (bits - 64)) - 1;
  } else {
    std::memcpy(&key, word.data(), word.size());
  }
  key.high |= static_cast<std::uint64_t>(word.size()) << 56;
  return key;
}

inline std::size_t WordCache::find(const Key& key, std::int32_t* ids) {
  Bucket& bucket = bucket_of(key);
  if (bucket.recent.key != key) {
    if (bucket.older.key != key) return 0;
    std::swap(bucket.recent, bucket.older);
  }
  const auto& known = bucket.recent.ids;
  for (std::size_t i = 0; i < most_ids; ++i) ids[i] = known[i] & id_mask;
  return static_cast<std::size_t>(known[0] >> count_shift);
}

inline void WordCache::store(const Key& key, std::span<const std::int32_t> ids) {
  Bucket& bucket = bucket_of(key);
  bucket.older = bucket.recent;
  bucket.recent.key = key;
  for (std::size_t i = 0; i < most_ids; ++i) bucket.recent.ids[i] = i < ids.size() ? ids[i] : 0;
  bucket.recent.ids[0] |= static_cast<std::int32_t>(ids.size()) << count_shift;
}

}  // namespace attune
