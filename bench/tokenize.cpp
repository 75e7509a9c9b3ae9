// Times the tokenizer over texts in memory, one thread, cold: a fresh tokenizer, texts it has never seen.
//
//   bench_tokenize TOKENIZER TEXTS.jsonl [--threads N]
//
// TEXTS holds one JSON string a line. Answers one JSON object: bytes, ids, seconds to load and to encode, and a hash of
// all ids (XXH3-128 over little-endian int32), which says whether two programs agree.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/base/hash.h"
#include "attune/base/json.h"
#include "attune/base/threads.h"
#include "attune/text/tokenizer.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::vector<std::string> read_texts(const std::string& path) {
  const std::string bytes = attune::read_file(path);
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    texts.push_back(attune::Json::parse(std::string_view(bytes).substr(begin, end - begin)).string());
    begin = end + 1;
  }
  return texts;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3 && !(count == 5 && std::string_view(words[3]) == "--threads")) {
    std::fprintf(stderr, "usage: bench_tokenize TOKENIZER TEXTS.jsonl [--threads N]\n");
    return 64;
  }
  attune::set_thread_count(count == 5 ? std::atoi(words[4]) : 1);
  const std::vector<std::string> texts = read_texts(words[2]);
  const auto load = Clock::now();
  const attune::Tokenizer tokenizer = attune::Tokenizer::load(words[1]);
  const double load_seconds = seconds_since(load);
  const auto encode = Clock::now();
  const auto ids = tokenizer.encode_batch(texts);
  const double seconds = seconds_since(encode);

  std::size_t bytes = 0, tokens = 0;
  attune::Hasher hasher;
  for (const std::string& text : texts) bytes += text.size();
  for (const auto& one : ids) {
    tokens += one.size();
    hasher.add({reinterpret_cast<const char*>(one.data()), one.size() * sizeof one[0]});
  }
  const auto answer = attune::Json::object({{"bytes", bytes},
                                            {"ids", tokens},
                                            {"load_seconds", load_seconds},
                                            {"seconds", seconds},
                                            {"hash", hasher.hex()}});
  std::printf("%s\n", answer.str().c_str());
}
