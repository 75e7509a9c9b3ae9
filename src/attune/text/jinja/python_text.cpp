// str(), repr() and json.dumps() as Python writes them.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "attune/text/jinja/value.h"
#include "attune/text/unicode.h"

namespace attune::jinja {
namespace {

constexpr std::string_view hexadecimal = "0123456789abcdef";

std::string hex(char32_t value, int digits) {
  std::string text(static_cast<std::size_t>(digits), '0');
  for (std::size_t i = text.size(); i-- > 0; value >>= 4) text[i] = hexadecimal[value & 0xF];
  return text;
}

void append_repr(const Text& text, Text& out) {
  const std::string_view bytes = text.view();
  const bool double_quotes = bytes.find('\'') != bytes.npos && bytes.find('"') == bytes.npos;
  const char quote = double_quotes ? '"' : '\'';
  out.append(std::string_view(&quote, 1));
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint c = code_point_at(bytes, at);
    const Mark mark = text.mark_at(at);
    if (c.value == static_cast<char32_t>(quote) || c.value == '\\') {
      out.append(std::string("\\") + static_cast<char>(c.value), mark);
    } else if (c.value == '\n' || c.value == '\r' || c.value == '\t') {
      out.append(c.value == '\n' ? "\\n" : c.value == '\r' ? "\\r" : "\\t", mark);
    } else if (is_printable(c.value)) {
      out.append(text, at, at + c.size);
    } else if (c.value < 0x100) {
      out.append("\\x" + hex(c.value, 2), mark);
    } else {
      out.append(c.value < 0x10000 ? "\\u" + hex(c.value, 4) : "\\U" + hex(c.value, 8), mark);
    }
    at += c.size;
  }
  out.append(std::string_view(&quote, 1));
}

void append_value(const Value& value, Text& out);

void append_items(const std::vector<Value>& items, Text& out) {
  bool first = true;
  for (const Value& item : items) {
    if (!std::exchange(first, false)) out.append(", ");
    append_value(item, out);
  }
}

void append_dict(const Dict& dict, Text& out) {
  out.append("{");
  bool first = true;
  for (const auto& [key, value] : dict.items) {
    if (!std::exchange(first, false)) out.append(", ");
    append_value(key, out);
    out.append(": ");
    append_value(value, out);
  }
  out.append("}");
}

// The nesting of values is bounded by the interpreter's depth and the depth of JSON.
void append_value(const Value& value, Text& out) {
  if (value.is_text()) {
    append_repr(value.text(), out);
  } else if (value.is_list()) {
    out.append(value.is_tuple() ? "(" : "[");
    append_items(value.items(), out);
    if (value.is_tuple() && value.items().size() == 1) out.append(",");
    out.append(value.is_tuple() ? ")" : "]");
  } else if (value.is_dict()) {
    append_dict(value.dict(), out);
  } else if (value.is_undefined()) {
    out.append("Undefined");
  } else {
    out.append(str(value));
  }
}

void append_json_text(const Text& text, bool ensure_ascii, Text& out) {
  out.append("\"");
  const std::string_view bytes = text.view();
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint c = code_point_at(bytes, at);
    const Mark mark = text.mark_at(at);
    switch (c.value) {
      case '"':
        out.append("\\\"", mark);
        break;
      case '\\':
        out.append("\\\\", mark);
        break;
      case '\n':
        out.append("\\n", mark);
        break;
      case '\r':
        out.append("\\r", mark);
        break;
      case '\t':
        out.append("\\t", mark);
        break;
      case '\b':
        out.append("\\b", mark);
        break;
      case '\f':
        out.append("\\f", mark);
        break;
      default:
        if (c.value < 0x20 || (ensure_ascii && c.value >= 0x7F && c.value < 0x10000)) {
          if (c.value == 0x7F) {
            out.append("\x7F", mark);
          } else {
            out.append("\\u" + hex(c.value, 4), mark);
          }
        } else if (ensure_ascii && c.value >= 0x10000) {
          const char32_t rest = c.value - 0x10000;
          out.append("\\u" + hex(0xD800 + (rest >> 10), 4) + "\\u" + hex(0xDC00 + (rest & 0x3FF), 4), mark);
        } else {
          out.append(text, at, at + c.size);
        }
    }
    at += c.size;
  }
  out.append("\"");
}

class JsonWriter {
 public:
  explicit JsonWriter(const JsonStyle& style) : style_(style) {}

  bool write(const Value& value, int depth) {
    if (value.is_none()) {
      out.append("null");
    } else if (value.is_bool()) {
      out.append(value.truth() ? "true" : "false");
    } else if (value.is_integer() || value.is_float()) {
      out.append(number(value));
    } else if (value.is_text()) {
      append_json_text(value.text(), style_.ensure_ascii, out);
    } else if (value.is_list()) {
      return write_list(value.items(), depth);
    } else if (value.is_dict()) {
      return write_dict(value.dict(), depth);
    } else {
      return false;
    }
    return true;
  }

  Text out = {};

 private:
  static std::string number(const Value& value) {
    if (value.is_integer()) return std::to_string(value.integer());
    const double number = value.number();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    return float_repr(number);
  }

  void separate(bool first, int depth) {
    if (!first) out.append(style_.item_separator);
    new_line(depth);
  }
  void new_line(int depth) {
    if (style_.indent >= 0) out.append("\n" + std::string(static_cast<std::size_t>(style_.indent * depth), ' '));
  }

  bool write_list(const std::vector<Value>& items, int depth) {
    out.append("[");
    for (std::size_t i = 0; i < items.size(); ++i) {
      separate(i == 0, depth + 1);
      if (!write(items[i], depth + 1)) return false;
    }
    if (!items.empty()) new_line(depth);
    out.append("]");
    return true;
  }

  bool write_dict(const Dict& dict, int depth) {
    std::vector<const std::pair<Value, Value>*> members;
    for (const auto& member : dict.items) members.push_back(&member);
    if (style_.sort_keys) {
      std::stable_sort(members.begin(), members.end(),
                       [](const auto* a, const auto* b) { return a->first.compare(b->first).value_or(0) < 0; });
    }
    out.append("{");
    for (std::size_t i = 0; i < members.size(); ++i) {
      separate(i == 0, depth + 1);
      if (!write_key(members[i]->first)) return false;
      out.append(style_.key_separator);
      if (!write(members[i]->second, depth + 1)) return false;
    }
    if (!members.empty()) new_line(depth);
    out.append("}");
    return true;
  }

  bool write_key(const Value& key) {
    if (key.is_text()) {
      append_json_text(key.text(), style_.ensure_ascii, out);
    } else if (key.is_bool() || key.is_none()) {
      out.append(key.is_none() ? "\"null\"" : key.truth() ? "\"true\"" : "\"false\"");
    } else if (key.is_number()) {
      out.append("\"" + number(key) + "\"");
    } else {
      return false;
    }
    return true;
  }

  const JsonStyle& style_;
};

}  // namespace

// Python's repr: the shortest digits that read back, with an exponent outside 1e-4 <= |x| < 1e16.
std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  int exponent = 0;
  const std::string_view power = text.substr(text.find('e') + 1);
  std::from_chars(power.data() + (power[0] == '+'), power.data() + power.size(), exponent);
  if (exponent < -4 || exponent >= 16) return std::string(text);
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  std::string result(buffer, fixed);
  if (result.find('.') == result.npos) result += ".0";
  return result;
}

Text str(const Value& value) {
  if (value.is_text()) return value.text();
  if (value.is_undefined()) return Text();
  if (value.is_none()) return Text("None");
  if (value.is_bool()) return Text(value.truth() ? "True" : "False");
  if (value.is_integer()) return Text(std::to_string(value.integer()));
  if (value.is_float()) return Text(float_repr(value.number()));
  if (value.is_namespace()) return Text("<Namespace>");
  if (value.is_callable()) return Text("<function " + value.callable().name + ">");
  if (value.is_object()) return Text("<object>");
  return repr(value);
}

Text repr(const Value& value) {
  Text out;
  append_value(value, out);
  return out;
}

std::optional<Text> json_dumps(const Value& value, const JsonStyle& style) {
  JsonWriter writer(style);
  if (!writer.write(value, 0)) return std::nullopt;
  return std::move(writer.out);
}

}  // namespace attune::jinja
