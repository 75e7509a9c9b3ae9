#include "attune/text/pipeline/decoders.h"

#include <charconv>
#include <optional>

#include "attune/base/json.h"
#include "attune/text/byte_level.h"
#include "attune/text/unicode.h"

namespace attune::decoders {
namespace {

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  std::size_t from = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, from)) {
    out.append(text, from, at - from);
    out += with;
    from = at + what.size();
  }
  out += text.substr(from);
  return out;
}

std::string cleaned(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> changes[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [what, with] : changes) text = replaced(text, what, with);
  return text;
}

}  // namespace

std::optional<char> fallback_byte(std::string_view spelling) {
  if (spelling.size() != 6 || !spelling.starts_with("<0x") || spelling.back() != '>') return std::nullopt;
  unsigned value = 0;
  const auto parsed = std::from_chars(spelling.data() + 3, spelling.data() + 5, value, 16);
  if (parsed.ec != std::errc() || parsed.ptr != spelling.data() + 5) return std::nullopt;
  return static_cast<char>(static_cast<unsigned char>(value));
}

Step byte_level() {
  return [](std::vector<std::string>& tokens) {
    std::string bytes;
    for (const std::string& token : tokens) bytes += character_bytes(token).value_or(token);
    tokens.assign(1, valid_utf8(bytes) ? bytes : replace_invalid_utf8(bytes));
  };
}

Step byte_fallback() {
  return [](std::vector<std::string>& tokens) {
    std::vector<std::string> result;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (valid_utf8(bytes)) {
        result.push_back(bytes);
      } else {
        result.insert(result.end(), bytes.size(), "\uFFFD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const std::optional<char> byte = fallback_byte(token)) {
        bytes += *byte;
        continue;
      }
      flush();
      result.push_back(std::move(token));
    }
    flush();
    tokens = std::move(result);
  };
}

Step fuse() {
  return [](std::vector<std::string>& tokens) {
    std::string all;
    for (const std::string& token : tokens) all += token;
    tokens.assign(1, std::move(all));
  };
}

Step strip(std::string character, std::size_t start, std::size_t stop) {
  return [=](std::vector<std::string>& tokens) {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (std::size_t i = 0; i < start && rest.starts_with(character); ++i) rest.remove_prefix(character.size());
      for (std::size_t i = 0; i < stop && rest.ends_with(character); ++i) rest.remove_suffix(character.size());
      token = std::string(rest);
    }
  };
}

Step replace(Pattern pattern, std::string with) {
  return [=](std::vector<std::string>& tokens) {
    for (std::string& token : tokens) {
      std::string out;
      std::size_t from = 0;
      for (const ByteSpan& match : matches_of(pattern, token)) {
        out.append(token, from, match.begin - from);
        out += with;
        from = match.end;
      }
      out.append(token, from);
      token = std::move(out);
    }
  };
}

Step metaspace(std::string replacement, bool prefixed) {
  return [=](std::vector<std::string>& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = replaced(tokens[i], replacement, i == 0 && prefixed ? "" : " ");
  };
}

Step word_piece(std::string prefix, bool cleanup) {
  return [=](std::vector<std::string>& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0) token = token.starts_with(prefix) ? token.substr(prefix.size()) : " " + token;
      if (cleanup) token = cleaned(std::move(token));
    }
  };
}

Step spaced() {
  return [](std::vector<std::string>& tokens) {
    for (std::size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(0, 1, ' ');
  };
}

Step suffix(std::string suffix) {
  return [=](std::vector<std::string>& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = replaced(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
  };
}

}  // namespace attune::decoders
