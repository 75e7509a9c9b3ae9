#include "attune/text/files/tiktoken_file.h"

#include <algorithm>
#include <charconv>

#include "attune/text/base64.h"
#include "attune/text/byte_level.h"
#include "attune/text/files/families.h"

namespace attune {
namespace {

struct Published {
  std::size_t ranks = 0;
  std::string_view family = {};
  void (*add_special)(std::vector<AddedToken>& added) = nullptr;
};

void add(std::vector<AddedToken>& added, std::int32_t id, std::string content) {
  added.push_back({.id = id, .content = std::move(content), .special = true});
}

void gpt2_special(std::vector<AddedToken>& added) { add(added, 50256, "<|endoftext|>"); }

void cl100k_special(std::vector<AddedToken>& added) {
  add(added, 100257, "<|endoftext|>");
  add(added, 100258, "<|fim_prefix|>");
  add(added, 100259, "<|fim_middle|>");
  add(added, 100260, "<|fim_suffix|>");
  add(added, 100276, "<|endofprompt|>");
}

void o200k_special(std::vector<AddedToken>& added) {
  add(added, 199999, "<|endoftext|>");
  add(added, 200018, "<|endofprompt|>");
}

void llama3_special(std::vector<AddedToken>& added) {
  constexpr std::int32_t first = 128'000, last = 128'255;
  std::int32_t id = first;
  for (const char* name : {"<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
                           "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>", "<|reserved_special_token_2|>",
                           "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"})
    add(added, id++, name);
  for (int number = 3; id <= last; ++number)
    add(added, id++, "<|reserved_special_token_" + std::to_string(number) + "|>");
}

void qwen_special(std::vector<AddedToken>& added) {
  add(added, 151'643, "<|endoftext|>");
  add(added, 151'644, "<|im_start|>");
  add(added, 151'645, "<|im_end|>");
  for (std::int32_t i = 0; i < 205; ++i) add(added, 151'646 + i, "<|extra_" + std::to_string(i) + "|>");
}

constexpr Published encodings[] = {{50'256, "gpt2", gpt2_special},           {50'280, "p50k_base", gpt2_special},
                                   {100'256, "cl100k_base", cl100k_special}, {199'998, "o200k_base", o200k_special},
                                   {128'000, "llama3", llama3_special},      {151'643, "qwen2", qwen_special}};

class RankReader {
 public:
  RankReader(std::string_view bytes, const JsonFields& fields, const std::string& file)
      : bytes_(bytes), fields_(fields), file_(file) {}

  ModelPart read() {
    for (std::size_t at = 0; at < bytes_.size();) {
      ++line_;
      const std::size_t end = std::min(bytes_.find('\n', at), bytes_.size());
      std::string_view line = bytes_.substr(at, end - at);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) read_line(line);
      at = end + 1;
    }
    return std::move(part_);
  }

  const StringTable& tokens() const { return tokens_; }
  const std::vector<std::int32_t>& ranks() const { return ranks_; }

 private:
  [[noreturn]] void fail(const std::string& found) const {
    throw FormatError({.file = file_, .line = line_}, found, "a token in base64, a blank, and its rank",
                      "fetch the file again");
  }

  void read_line(std::string_view line) {
    const std::size_t blank = line.find(' ');
    if (blank == line.npos) fail("a line without a blank");
    const auto token = from_base64(line.substr(0, blank));
    if (!token || token->empty()) fail("no base64");
    std::int64_t rank = -1;
    const char* const end = line.data() + line.size();
    const auto parsed = std::from_chars(line.data() + blank + 1, end, rank);
    if (parsed.ec != std::errc() || parsed.ptr != end || rank < 0 || rank > JsonFields::largest_id) fail("no rank");
    const auto id = static_cast<std::int32_t>(rank);
    if (!tokens_.insert(*token).second) fail("a token for the second time");
    if (static_cast<std::size_t>(id) >= used_.size()) used_.resize(static_cast<std::size_t>(id) + 1);
    if (used_[static_cast<std::size_t>(id)]) fail("a rank for the second time");
    used_[static_cast<std::size_t>(id)] = true;
    ranks_.push_back(id);
    std::string spelling = byte_characters(*token);
    part_.ids.emplace(spelling, id);
    part_.tokens.push_back({.text = std::move(spelling), .id = id});
  }

  std::string_view bytes_;
  const JsonFields& fields_;
  std::string file_;
  std::int64_t line_ = 0;
  StringTable tokens_;
  std::vector<std::int32_t> ranks_;  // of tokens_
  std::vector<bool> used_;
  ModelPart part_;
};

// A merge for each way to put a token together from two others; it ranks as the token does.
std::vector<Bpe::Merge> merges_of(const StringTable& tokens, const std::vector<std::int32_t>& ranks) {
  std::vector<Bpe::Merge> merges;
  const auto rank_of = [&](std::string_view token) {
    const std::int32_t number = tokens.find(token);
    return number == StringTable::none ? -1 : ranks[static_cast<std::size_t>(number)];
  };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view token = tokens[static_cast<std::int32_t>(i)];
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      const std::int32_t left = rank_of(token.substr(0, cut));
      if (left < 0) continue;
      const std::int32_t right = rank_of(token.substr(cut));
      if (right >= 0) merges.push_back({left, right, ranks[i], ranks[i]});
    }
  }
  return merges;
}

}  // namespace

bool is_tiktoken(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, std::min<std::size_t>(bytes.find('\n'), 4096));
  const std::size_t blank = line.find(' ');
  return blank != line.npos && blank > 0 && from_base64(line.substr(0, blank)).has_value();
}

TokenizerFile read_tiktoken(std::string_view bytes, const std::string& file) {
  const JsonFields fields(file);
  RankReader reader(bytes, fields, file);
  ModelPart part = reader.read();
  const auto encoding = std::ranges::find(encodings, part.tokens.size(), &Published::ranks);
  if (encoding == std::end(encodings)) {
    fields.fail("", "a tiktoken file of " + std::to_string(part.tokens.size()) + " ranks",
                "that of gpt2, p50k, cl100k, o200k, Llama 3 or Qwen", "use the tokenizer.json of this model");
  }
  part.merges = merges_of(reader.tokens(), reader.ranks());
  part.whole_words = true;
  const ByteLevelFamily family = *byte_level_family(encoding->family);
  const Json decoder = Json::object({{"type", "ByteLevel"}});
  TokenizerFile result;
  assemble(result, fields, std::move(part),
           {.normalizers = components_of(fields, &family.normalizer, "normalizer", "normalizers"),
            .splitters = components_of(fields, &family.pre_tokenizer, "pre_tokenizer", "pretokenizers"),
            .decoders = components_of(fields, &decoder, "decoder", "decoders")});
  encoding->add_special(result.added);
  const bool llama = encoding->family == "llama3";
  if (llama) result.before.push_back(result.added.front().id);
  if (llama) result.special.emplace_back("bos_token", result.added.front().content);
  result.special.emplace_back("eos_token", result.added[llama ? 1 : 0].content);
  return result;
}

}  // namespace attune
