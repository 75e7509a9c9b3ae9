#include "attune/data/bytes.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "attune/base/errors.h"

namespace attune {
namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10;

// Compressed bytes with one block of look-ahead.
class Input {
 public:
  explicit Input(InputFile file) : file_(std::move(file)), buffer_(block_bytes) {}

  // At least `count` bytes of look-ahead unless the file ends before.
  std::string_view peek(std::size_t count = 1) {
    while (end_ - begin_ < count && !finished_) {
      if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
      }
      const std::size_t got = file_.read({buffer_.data() + end_, buffer_.size() - end_});
      end_ += got;
      finished_ = got == 0;
    }
    return {buffer_.data() + begin_, end_ - begin_};
  }
  void skip(std::size_t count) {
    begin_ += count;
    consumed_ += count;
  }
  std::uint64_t consumed() const { return consumed_; }

 private:
  InputFile file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t consumed_ = 0;
  bool finished_ = false;
};

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(Input input) : input_(std::move(input)) {}
  std::size_t read(std::span<char> into) override {
    const std::string_view ahead = input_.peek();
    const std::size_t count = std::min(ahead.size(), into.size());
    std::memcpy(into.data(), ahead.data(), count);
    input_.skip(count);
    return count;
  }

 private:
  Input input_;
};

// What gzip and zstd share: the limits on what a stream may expand to.
class Expansion {
 public:
  explicit Expansion(const ReadLimits& limits) : limits_(limits) {}
  void produced(std::size_t count, std::uint64_t consumed) {
    total_ += count;
    member_ += count;
    if (total_ > limits_.free_bytes && static_cast<double>(total_) > limits_.ratio * static_cast<double>(consumed)) {
      throw DamagedStream{"data that expands more than " + std::to_string(static_cast<int>(limits_.ratio)) + " fold",
                          "ordinary compressed text", static_cast<std::int64_t>(consumed)};
    }
  }
  void member_ended(std::uint64_t consumed) {
    if (std::exchange(member_, 0) == 0 && ++empty_ > limits_.empty_members) {
      throw DamagedStream{"more than " + std::to_string(limits_.empty_members) + " empty members", "data",
                          static_cast<std::int64_t>(consumed)};
    }
  }

 private:
  ReadLimits limits_;
  std::uint64_t total_ = 0, member_ = 0;
  std::int64_t empty_ = 0;
};

bool starts_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }
bool starts_zstd(std::string_view bytes) {
  if (bytes.size() < 4) return false;
  if (bytes.starts_with("\x28\xb5\x2f\xfd")) return true;
  return (static_cast<unsigned char>(bytes[0]) & 0xF0) == 0x50 && bytes.substr(1, 3) == "\x2a\x4d\x18";  // skippable
}

class GzipStream final : public ByteStream {
 public:
  GzipStream(Input input, const ReadLimits& limits) : input_(std::move(input)), expansion_(limits) {
    if (inflateInit2(&state_, 15 + 16) != Z_OK) throw IoError({}, "zlib could not be set up");
  }
  ~GzipStream() override { inflateEnd(&state_); }

  std::size_t read(std::span<char> into) override {
    while (true) {
      const std::string_view ahead = input_.peek(2);
      if (!inside_) {
        if (ahead.empty()) return 0;
        if (!starts_gzip(ahead)) damaged("garbage after the end of the gzip data");
        inside_ = true;
      }
      if (ahead.empty()) damaged("gzip data that is cut short");
      state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(ahead.data()));
      state_.avail_in = static_cast<uInt>(ahead.size());
      state_.next_out = reinterpret_cast<Bytef*>(into.data());
      state_.avail_out = static_cast<uInt>(std::min(into.size(), block_bytes));
      const uInt room = state_.avail_out;
      const int status = inflate(&state_, Z_NO_FLUSH);
      input_.skip(ahead.size() - state_.avail_in);
      const std::size_t count = room - state_.avail_out;
      expansion_.produced(count, input_.consumed());
      if (status == Z_STREAM_END) {
        inside_ = false;
        inflateReset(&state_);
        expansion_.member_ended(input_.consumed());
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        const bool checksum =
            state_.msg != nullptr && std::string_view(state_.msg).find("check") != std::string_view::npos;
        pending_ = checksum ? "gzip data with a wrong checksum" : "damaged gzip data";
      }
      if (count > 0) return count;
      if (!pending_.empty()) damaged(pending_);
    }
  }

 private:
  [[noreturn]] void damaged(std::string found) {
    throw DamagedStream{std::move(found), "whole gzip members", static_cast<std::int64_t>(input_.consumed())};
  }
  Input input_;
  Expansion expansion_;
  z_stream state_ = {};
  bool inside_ = false;
  std::string pending_;  // damage found behind bytes that were still good
};

class ZstdStream final : public ByteStream {
 public:
  ZstdStream(Input input, const ReadLimits& limits)
      : input_(std::move(input)), expansion_(limits), context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw IoError({}, "zstd could not be set up");
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, limits.window_log);
  }
  ~ZstdStream() override { ZSTD_freeDCtx(context_); }

  std::size_t read(std::span<char> into) override {
    while (true) {
      const std::string_view ahead = input_.peek(4);
      if (!inside_) {
        if (ahead.empty()) return 0;
        if (!starts_zstd(ahead)) damaged("garbage after the end of the zstd data");
        inside_ = true;
      }
      ZSTD_inBuffer from{ahead.data(), ahead.size(), 0};
      ZSTD_outBuffer to{into.data(), std::min(into.size(), block_bytes), 0};
      const std::size_t status = ZSTD_decompressStream(context_, &to, &from);
      input_.skip(from.pos);
      if (ZSTD_isError(status)) damaged(reason(status));
      if (status == 0) {
        inside_ = false;
        expansion_.produced(to.pos, input_.consumed());
        expansion_.member_ended(input_.consumed());
      } else {
        expansion_.produced(to.pos, input_.consumed());
        if (ahead.empty() && to.pos == 0) damaged("zstd data that is cut short");
      }
      if (to.pos > 0) return to.pos;
    }
  }

 private:
  static std::string reason(std::size_t status) {
    const std::string_view name = ZSTD_getErrorName(status);
    if (name.find("checksum") != std::string_view::npos) return "zstd data with a wrong checksum";
    if (name.find("memory") != std::string_view::npos) return "zstd data whose window is too large";
    return "damaged zstd data";
  }
  [[noreturn]] void damaged(std::string found) {
    throw DamagedStream{std::move(found), "whole zstd frames", static_cast<std::int64_t>(input_.consumed())};
  }
  Input input_;
  Expansion expansion_;
  ZSTD_DCtx* context_;
  bool inside_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> open_bytes(const Path& path, const ReadLimits& limits) {
  Input input(path == "-" ? InputFile::standard_input() : InputFile(path));
  const std::string_view head = input.peek(4);
  if (starts_gzip(head)) return std::make_unique<GzipStream>(std::move(input), limits);
  if (starts_zstd(head)) return std::make_unique<ZstdStream>(std::move(input), limits);
  if (!head.empty() && compression_of(path) != Compression::none) {
    throw DataError({.file = path.string()}, "no compressed data",
                    compression_of(path) == Compression::gzip ? "gzip data" : "zstd data", "check the file's name");
  }
  return std::make_unique<PlainStream>(std::move(input));
}

Compression compression_of(const Path& path) {
  if (path.extension() == ".gz") return Compression::gzip;
  if (path.extension() == ".zst") return Compression::zstd;
  return Compression::none;
}

}  // namespace attune
