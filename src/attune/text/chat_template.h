// Conversations to text and token ids through a model's chat template, as transformers' apply_chat_template does.
//
// A template is Jinja2 in the subset that Hugging Face templates use, compiled once and run within a budget. It only
// ever sees data: no attribute of a host object, no file, no second template.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/base/json.h"
#include "attune/text/encoding.h"
#include "attune/text/special_tokens.h"

namespace attune {

class Tokenizer;

struct Conversation {
  Json messages = Json::array();    // objects with "role" and whatever the template reads; null members count as absent
  Json tools = {};                  // an array of JSON schemas, or null
  Json documents = {};              // an array of objects, or null
  Json arguments = Json::object();  // chat_template_kwargs: further names for the template
};

struct RenderOptions {
  bool add_generation_prompt = false;
  // True: control tokens are only recognised in what the template itself writes; what users, tools and documents write
  // is plain text, and assistants may write added tokens that are not special (<think>). False: everywhere, as in
  // transformers (return_assistant_tokens_mask=True does not go with its own protection).
  bool content_is_plain = true;
  std::int64_t steps = 5'000'000;                                           // budget: evaluations
  std::int64_t bytes = std::int64_t{1} << 28;                               // budget: all text made on the way
  std::function<std::string(const std::string& format)> strftime_now = {};  // the local time now, unless given
};

struct RenderedConversation {
  std::string text = {};
  std::vector<OriginSpan> origins = {};  // of bytes that are not the template's own; empty unless content_is_plain
  std::vector<ByteSpan> generated = {};  // inside {% generation %}
};

class ChatTemplate {
 public:
  // Throws FormatError at file:line with the column: syntax, unknown tags, filters and tests.
  static ChatTemplate compile(std::string_view source, const std::string& file = "chat template");

  // The template for conversations of this kind: "tool_use" when there are tools and such a template, else "default".
  // Throws FormatError when there is none: never another template in its place.
  static ChatTemplate choose(const std::vector<NamedTemplate>& templates, bool with_tools);

  // Throws DataError when the template refuses the conversation (raise_exception), FormatError when it fails or does
  // not end within its budget.
  RenderedConversation render(const Conversation& conversation, const SpecialTokens& special,
                              const RenderOptions& options = {}) const;

  bool marks_generation() const;  // has {% generation %} blocks
  const std::string& file() const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

struct TokenizedConversation {
  std::string text = {};
  std::vector<std::int32_t> ids = {};
  std::vector<std::uint8_t> mask = {};  // 1 where the assistant must produce the token
};

// Text, ids (no special tokens put around) and the assistant's mask.
//
// With {% generation %} blocks a token is masked in if it holds a byte of one. That is transformers' mask, except that
// all tokens of a split last character and leading blanks belong to it. Without such blocks the mask comes from
// rendering: an assistant's turn is what its message adds behind the generation prompt, up to and with the special
// token that ends it. Throws DataError when the template rewrites earlier turns, so that no such difference exists.
TokenizedConversation render_and_tokenize(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                          const Conversation& conversation, const RenderOptions& options = {});

}  // namespace attune
