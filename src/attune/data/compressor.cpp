#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "attune/base/errors.h"
#include "attune/data/bytes.h"

namespace attune {

struct Compressor::State {
  explicit State(Compression kind) : compression(kind) {
    if (kind == Compression::gzip) {
      require(deflateInit2(&gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib could not be set up");
    } else if (kind == Compression::zstd) {
      zstd = ZSTD_createCCtx();
      require(zstd != nullptr, "zstd could not be set up");
      ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    }
  }
  ~State() {
    if (compression == Compression::gzip) deflateEnd(&gzip);
    ZSTD_freeCCtx(zstd);
  }

  std::string run_gzip(std::string_view piece, int flush) {
    std::string out;
    gzip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    gzip.avail_in = static_cast<uInt>(piece.size());
    do {
      gzip.next_out = reinterpret_cast<Bytef*>(block);
      gzip.avail_out = sizeof block;
      require(deflate(&gzip, flush) != Z_STREAM_ERROR, "gzip compression");
      out.append(block, sizeof block - gzip.avail_out);
    } while (gzip.avail_out == 0);
    return out;
  }

  std::string run_zstd(std::string_view piece, ZSTD_EndDirective end) {
    std::string out;
    ZSTD_inBuffer from{piece.data(), piece.size(), 0};
    std::size_t left = 0;
    do {
      ZSTD_outBuffer to{block, sizeof block, 0};
      left = ZSTD_compressStream2(zstd, &to, &from, end);
      require(!ZSTD_isError(left), "zstd compression");
      out.append(block, to.pos);
    } while (from.pos < from.size || (end == ZSTD_e_end && left > 0));
    return out;
  }

  Compression compression;
  z_stream gzip = {};
  ZSTD_CCtx* zstd = nullptr;
  char block[1 << 16];
};

Compressor::Compressor(Compression compression) : state_(std::make_unique<State>(compression)) {}
Compressor::~Compressor() = default;

std::string Compressor::add(std::string_view piece) {
  if (state_->compression == Compression::none) return std::string(piece);
  if (state_->compression == Compression::zstd) return state_->run_zstd(piece, ZSTD_e_continue);
  std::string out;
  constexpr std::size_t most = std::size_t{1} << 30;  // deflate counts in 32 bits
  while (!piece.empty()) {
    out += state_->run_gzip(piece.substr(0, most), Z_NO_FLUSH);
    piece.remove_prefix(std::min(most, piece.size()));
  }
  return out;
}

std::string Compressor::finish() {
  if (state_->compression == Compression::none) return {};
  return state_->compression == Compression::zstd ? state_->run_zstd({}, ZSTD_e_end) : state_->run_gzip({}, Z_FINISH);
}

std::string compress(std::string_view bytes, Compression compression) {
  Compressor compressor(compression);
  std::string out = compressor.add(bytes);
  out += compressor.finish();
  return out;
}

}  // namespace attune
