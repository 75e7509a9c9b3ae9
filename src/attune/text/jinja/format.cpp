#include "attune/text/jinja/format.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "attune/text/jinja/interpreter.h"
#include "attune/text/unicode.h"

namespace attune::jinja {
namespace {

constexpr std::int64_t widest = 10000;

struct Directive {
  bool left = false, zero = false, plus = false, blank = false;
  std::int64_t width = 0, precision = -1;
  char kind = 's';
};

class PercentFormatter {
 public:
  PercentFormatter(Interpreter& interpreter, const Text& format, const Value& values)
      : interpreter_(interpreter), format_(format), text_(format.view()), values_(values) {}

  Text run() {
    while (at_ < text_.size()) {
      const std::size_t percent = std::min(text_.find('%', at_), text_.size());
      out_.append(format_, at_, percent);
      at_ = percent;
      if (at_ < text_.size()) directive();
    }
    const bool many = values_.is_tuple();
    if (!mapped_ && used_ < (many ? values_.items().size() : values_.is_dict() || values_.is_list() ? 0u : 1u)) {
      interpreter_.fail("more values than the format has places");
    }
    return std::move(out_);
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::int64_t number() {
    std::int64_t value = 0;
    while (peek() >= '0' && peek() <= '9') {
      value = value * 10 + (text_[at_++] - '0');
      if (value > widest) interpreter_.fail("a format wider than 10000");
    }
    return value;
  }

  Value next_value() {
    if (mapped_value_) return *std::exchange(mapped_value_, std::nullopt);
    if (!values_.is_tuple()) {
      if (used_++ > 0) interpreter_.fail("fewer values than the format has places");
      return values_;
    }
    if (used_ >= values_.items().size()) interpreter_.fail("fewer values than the format has places");
    return values_.items()[used_++];
  }

  void directive() {
    ++at_;
    if (peek() == '(') {
      const std::size_t end = text_.find(')', at_);
      if (end == text_.npos || !values_.is_dict()) interpreter_.fail("a format with a key", "an object of values");
      const Value* found = values_.dict().find(text_.substr(at_ + 1, end - at_ - 1));
      if (!found) interpreter_.fail("a format with a key that is not there");
      mapped_value_ = *found;
      mapped_ = true;
      at_ = end + 1;
    }
    Directive d;
    for (;; ++at_) {
      const char c = peek();
      if (c == '-')
        d.left = true;
      else if (c == '0')
        d.zero = true;
      else if (c == '+')
        d.plus = true;
      else if (c == ' ')
        d.blank = true;
      else if (c != '#')
        break;
    }
    d.width = number();
    if (peek() == '.') {
      ++at_;
      d.precision = number();
    }
    d.kind = peek();
    ++at_;
    if (d.kind == '%') {
      out_.append("%");
    } else {
      pad(d, converted(d, next_value()));
    }
  }

  Text converted(const Directive& d, const Value& value) {
    if (d.kind == 's' || d.kind == 'r') {
      Text text = d.kind == 's' ? str(value) : repr(value);
      if (d.precision < 0) return text;
      std::size_t end = 0;
      for (std::int64_t i = 0; i < d.precision && end < text.size(); ++i) end += code_point_at(text.view(), end).size;
      return text.slice(0, end);
    }
    if (!value.is_number()) interpreter_.fail("a number format for " + std::string(value.type_name()));
    std::string digits;
    if (d.kind == 'd' || d.kind == 'i') {
      if (value.is_float() && !(std::fabs(value.number()) < 9e18)) interpreter_.fail("a number beyond 64 bits in %d");
      digits = std::to_string(value.is_float() ? static_cast<std::int64_t>(value.number()) : value.integer());
    } else if (d.kind == 'f' || d.kind == 'F') {
      char buffer[400 + 64];
      const int precision = d.precision < 0 ? 6 : static_cast<int>(std::min<std::int64_t>(d.precision, 64));
      std::snprintf(buffer, sizeof buffer, "%.*f", precision, value.number());
      digits = buffer;
    } else if ((d.kind == 'x' || d.kind == 'X') && !value.is_float()) {
      char buffer[32];
      const std::int64_t number = value.integer();
      const std::uint64_t size =
          number < 0 ? ~static_cast<std::uint64_t>(number) + 1 : static_cast<std::uint64_t>(number);
      std::snprintf(buffer, sizeof buffer, d.kind == 'x' ? "%s%llx" : "%s%llX", number < 0 ? "-" : "",
                    static_cast<unsigned long long>(size));
      digits = buffer;
    } else {
      interpreter_.fail("an unknown format", "%s, %r, %d, %f or %x");
    }
    if (digits[0] != '-' && (d.plus || d.blank)) digits.insert(0, d.plus ? "+" : " ");
    if (d.zero && !d.left && static_cast<std::int64_t>(digits.size()) < d.width) {
      const std::size_t sign = digits[0] == '-' || digits[0] == '+' || digits[0] == ' ';
      digits.insert(sign, static_cast<std::size_t>(d.width) - digits.size(), '0');
    }
    return Text(digits);
  }

  void pad(const Directive& d, const Text& text) {
    const auto size = static_cast<std::int64_t>(code_point_count(text.view()));
    const std::string blanks(static_cast<std::size_t>(std::max<std::int64_t>(0, d.width - size)), ' ');
    if (!d.left) out_.append(blanks);
    out_.append(text);
    if (d.left) out_.append(blanks);
  }

  Interpreter& interpreter_;
  const Text& format_;
  std::string_view text_;
  const Value& values_;
  Text out_;
  std::size_t at_ = 0, used_ = 0;
  std::optional<Value> mapped_value_;
  bool mapped_ = false;
};

}  // namespace

Text percent_format(Interpreter& interpreter, const Text& format, const Value& values) {
  return PercentFormatter(interpreter, format, values).run();
}

Text brace_format(Interpreter& interpreter, const Text& format, const Arguments& arguments) {
  Text out;
  const std::string_view text = format.view();
  std::size_t automatic = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t brace = std::min(text.find_first_of("{}", at), text.size());
    out.append(format, at, brace);
    at = brace;
    if (at == text.size()) break;
    if (at + 1 < text.size() && text[at + 1] == text[at]) {
      out.append(text.substr(at, 1));
      at += 2;
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (text[at] == '}' || end == text.npos) interpreter.fail("a single brace in a format");
    const std::string_view field = text.substr(at + 1, end - at - 1);
    if (field.find_first_of(":!.[{") != field.npos) interpreter.fail("a format specification", "{}, {0} or {name}");
    std::size_t index = 0;
    const auto read = std::from_chars(field.data(), field.data() + field.size(), index);
    const Value* value = nullptr;
    if (field.empty() || (read.ec == std::errc() && read.ptr == field.data() + field.size())) {
      if (field.empty()) index = automatic++;
      if (index < arguments.positional.size()) value = &arguments.positional[index];
    } else {
      for (const auto& [name, named] : arguments.named) {
        if (name == field) value = &named;
      }
    }
    if (!value) interpreter.fail("a format with a place for which there is no value");
    out.append(str(*value));
    at = end + 1;
  }
  return out;
}

}  // namespace attune::jinja
