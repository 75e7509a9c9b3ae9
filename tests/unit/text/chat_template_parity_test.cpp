// Text and masks of jinja2 as transformers runs it (tests/parity/record_templates.py).
#include <gtest/gtest.h>

#include <ctime>
#include <fstream>

#include "attune/base/errors.h"
#include "attune/text/chat_template.h"
#include "attune/text/jinja/interpreter.h"
#include "attune/text/jinja/parser.h"
#include "attune/text/tokenizer.h"
#include "support/recorded.h"
#include "support/temporary.h"

namespace attune {
namespace {

std::string fixed_day(const std::string& format) {
  std::tm day = {};
  day.tm_year = 126, day.tm_mon = 0, day.tm_mday = 2, day.tm_hour = 3, day.tm_min = 4, day.tm_sec = 5, day.tm_wday = 5;
  char text[200];
  return {text, std::strftime(text, sizeof text, format.c_str(), &day)};
}

const Json& record() {
  static const Json record = testing::recorded("templates");
  return record;
}

Conversation conversation_of(const Json& row, RenderOptions& options) {
  Conversation conversation;
  for (const auto& [key, value] : row.members()) {
    if (key == "messages")
      conversation.messages = value;
    else if (key == "tools")
      conversation.tools = value;
    else if (key == "documents")
      conversation.documents = value;
    else if (key == "add_generation_prompt")
      options.add_generation_prompt = value.boolean();
    else
      conversation.arguments.set(key, value);
  }
  return conversation;
}

// The rendering, or nothing when the template fails; `why` then says how.
std::optional<RenderedConversation> rendered(const ChatTemplate& chat_template, const Json& row, std::string& why) {
  SpecialTokens special;
  for (const auto& [role, token] : record().find("special")->members()) special.emplace_back(role, token.string());
  RenderOptions options;
  options.strftime_now = fixed_day;
  const Conversation conversation = conversation_of(row, options);
  try {
    return chat_template.render(conversation, special, options);
  } catch (const Error& error) {
    why = error.what();
    return std::nullopt;
  }
}

std::string mask_hash(const RenderedConversation& one) {
  std::vector<std::int32_t> mask(one.text.size(), 0);
  for (const ByteSpan& span : one.generated)
    std::fill(mask.begin() + static_cast<std::ptrdiff_t>(span.begin),
              mask.begin() + static_cast<std::ptrdiff_t>(span.end), 1);
  return testing::Fnv().add(mask).hex();
}

TEST(ChatTemplateParity, EveryTemplateOfTheSharedDataRendersAsJinja2Does) {
  if (testing::shared_data().empty()) GTEST_SKIP() << "the shared data folder is absent";
  const Json::Array& rows = record().find("cases")->items();
  for (const auto& [name, expected] : record().find("templates")->members()) {
    const ChatTemplate chat_template =
        ChatTemplate::compile(read_file(testing::shared_data() / "chat_templates" / name), name);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Json& text = expected.find("text")->items()[i];
      if (text.is_string() && text.string() == "generator") continue;  // refused by jinja2 only because of laziness
      std::string why;
      const auto ours = rendered(chat_template, rows[i], why);
      ASSERT_EQ(ours.has_value(), text.is_string()) << name << " conversation " << i << " " << why;
      if (!ours) continue;
      ASSERT_EQ(testing::Fnv().add(ours->text).hex(), text.string()) << name << " conversation " << i << "\n"
                                                                     << ours->text;
      ASSERT_EQ(mask_hash(*ours), expected.find("mask")->items()[i].string()) << name << " conversation " << i << "\n"
                                                                              << ours->text;
    }
  }
}

TEST(ChatTemplateParity, OurOwnTemplatesRenderAsJinja2Does) {
  const Json::Array& rows = record().find("own_cases")->items();
  for (const auto& [name, expected] : record().find("own")->members()) {
    const Path path = std::filesystem::path(ATTUNE_SOURCE_DIR) / "tests/tables/templates" / name;
    const ChatTemplate chat_template = ChatTemplate::compile(read_file(path), name);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::string why;
      const auto ours = rendered(chat_template, rows[i], why);
      ASSERT_EQ(ours.has_value(), expected.items()[i].is_object()) << name << " conversation " << i << " " << why;
      if (!ours) continue;
      EXPECT_EQ(ours->text, expected.items()[i].find("text")->string()) << name << " conversation " << i;
      EXPECT_EQ(mask_hash(*ours), expected.items()[i].find("mask")->string()) << name << " conversation " << i;
    }
  }
}

// transformers leaves all but the first token of a split last character out of the mask; no turn here ends in one.
TEST(ChatTemplateParity, IdsAndTokenMasksAreThoseOfTransformers) {
  Json file = *testing::recorded("tokenizers").find("tokenizers")->find("gpt2");
  const testing::TemporaryDirectory folder;
  std::ofstream(folder / "tokenizer.json") << file.str();
  std::ofstream(folder / "tokenizer_config.json")
      << R"({"bos_token": "<|begin|>", "eos_token": {"content": "<|end|>"}, "pad_token": null})";
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  const Json::Array& rows = record().find("own_cases")->items();
  std::size_t masked = 0;
  for (const auto& [name, expected] : record().find("tokenized")->members()) {
    const Path path = std::filesystem::path(ATTUNE_SOURCE_DIR) / "tests/tables/templates" / name;
    const ChatTemplate chat_template = ChatTemplate::compile(read_file(path), name);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      RenderOptions options;
      options.content_is_plain = false;
      const Conversation conversation = conversation_of(rows[i], options);
      if (expected.items()[i].is_null()) {
        EXPECT_THROW(render_and_tokenize(tokenizer, chat_template, conversation, options), Error);
        continue;
      }
      const TokenizedConversation ours = render_and_tokenize(tokenizer, chat_template, conversation, options);
      Json ids = Json::array(), mask = Json::array();
      for (const std::int32_t id : ours.ids) ids.push_back(id);
      for (const std::uint8_t flag : ours.mask) mask.push_back(static_cast<int>(flag)), masked += flag;
      EXPECT_EQ(ids.str(), expected.items()[i].find("ids")->str()) << name << i << ours.text;
      EXPECT_EQ(mask.str(), expected.items()[i].find("mask")->str()) << name << i << ours.text;
    }
  }
  EXPECT_GT(masked, 100u);
}

TEST(ChatTemplateParity, TokenMasksOfTheSharedTemplatesAreThoseOfTransformers) {
  if (testing::shared_data().empty()) GTEST_SKIP() << "the shared data folder is absent";
  const Json masks = testing::recorded("token_masks");
  const Json::Array& rows = masks.find("cases")->items();
  std::size_t compared = 0;
  for (const auto& [family, templates] : masks.find("families")->members()) {
    const testing::TemporaryDirectory folder;
    std::ofstream(folder / "tokenizer.json") << testing::recorded("pipelines/" + family).find("tokenizer")->str();
    std::ofstream(folder / "tokenizer_config.json") << R"({"bos_token": "</s>", "eos_token": "</s>"})";
    const Tokenizer tokenizer = Tokenizer::load(folder.path());
    for (const auto& [name, expected] : templates.members()) {
      const ChatTemplate chat_template =
          ChatTemplate::compile(read_file(testing::shared_data() / "chat_templates" / name), name);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (expected.items()[i].is_null()) continue;
        RenderOptions options;
        options.content_is_plain = false;
        options.strftime_now = fixed_day;
        const Conversation conversation = conversation_of(rows[i], options);
        const TokenizedConversation ours = render_and_tokenize(tokenizer, chat_template, conversation, options);
        const std::vector<std::int32_t> mask(ours.mask.begin(), ours.mask.end());
        EXPECT_EQ(testing::Fnv().add(ours.ids).hex(), expected.items()[i].items()[0].string()) << family << name << i;
        EXPECT_EQ(testing::Fnv().add(mask).hex(), expected.items()[i].items()[1].string()) << family << name << i;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 500u);
}

TEST(TemplateLanguageParity, EveryExpressionPrintsWhatJinja2Prints) {
  const Json expressions = testing::recorded("expressions");
  const Json::Array& snippets = expressions.find("snippets")->items();
  const std::string file = "snippet";
  for (std::size_t i = 0; i < snippets.size(); ++i) {
    std::string source = snippets[i].string();
    for (std::size_t at = source.find("\\n"); at != source.npos; at = source.find("\\n", at))
      source.replace(at, 2, "\n");
    const Json& expected = expressions.find("results")->items()[i];
    std::vector<std::pair<std::string, jinja::Value>> globals;
    for (const auto& [name, value] : expressions.find("context")->members())
      globals.emplace_back(name, jinja::Value::from_json(value, 0));
    try {
      const jinja::Block block = jinja::parse(source, file);
      jinja::Interpreter interpreter(file, {}, fixed_day);
      const jinja::Text text = interpreter.run(block, std::move(globals));
      if (expected.is_null()) {
        ADD_FAILURE() << source << "\nprints " << text.view() << "\nwhere jinja2 fails";
      } else {
        EXPECT_EQ(text.view(), expected.string()) << source;
      }
    } catch (const Error& error) {
      EXPECT_TRUE(expected.is_null()) << source << "\nfails: " << error.what();
    }
  }
}

}  // namespace
}  // namespace attune
