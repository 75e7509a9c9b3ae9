// The beginnings of all files of the shared data folder, decompressed: prose, chats, code, nine languages, broken UTF-8
// where the cut goes through a character. Empty where the folder is absent.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/temporary.h"

namespace attune::testing {

// The first `limit` bytes of a file, decompressed if it is gzip.
inline std::string read_head(const std::filesystem::path& path, std::size_t limit) {
  std::string bytes(limit, '\0');
  gzFile file = gzopen(path.c_str(), "rb");
  std::size_t size = 0;
  for (int got = 1; got > 0 && size < limit; size += static_cast<std::size_t>(std::max(got, 0))) {
    got = gzread(file, bytes.data() + size, static_cast<unsigned>(limit - size));
  }
  gzclose(file);
  bytes.resize(size);
  return bytes;
}

struct RealText {
  std::string name = {};  // path below the folder
  std::string bytes = {};
};

// In the order of their names; tokenizer models, which are no texts, aside.
inline std::vector<RealText> real_texts(std::size_t bytes_a_file) {
  std::vector<RealText> texts;
  const std::filesystem::path folder = shared_data();
  if (folder.empty()) return texts;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (!entry.is_regular_file() || (name.starts_with("tokenizers/") && name != "tokenizers/botchan.txt.gz")) continue;
    texts.push_back({name, read_head(entry.path(), bytes_a_file)});
  }
  std::sort(texts.begin(), texts.end(), [](const RealText& a, const RealText& b) { return a.name < b.name; });
  return texts;
}

}  // namespace attune::testing
