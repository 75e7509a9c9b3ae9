// `attune chat`: a conversation in the terminal. Works on a pipe too: a line in, an answer out.
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/sampling.h"
#include "attune/cli_torch/verbs.h"
#include "attune/generate/engine.h"
#include "attune/train/chat.h"

namespace attune {
namespace {

// What was said so far, oldest first: an instruction where there is one, then turns of user and assistant.
class History {
 public:
  explicit History(const std::optional<std::string>& system) {
    if (system) add(Role::system, *system);
    kept_ = messages_.size();
  }

  void add(Role role, std::string text) { messages_.push_back({.role = role, .content = {{.text = std::move(text)}}}); }
  void remove_last() { messages_.pop_back(); }
  void clear() { messages_.resize(kept_); }

  // Forgets the oldest question and its answer; false when only the newest question is left.
  bool forget_oldest() {
    if (messages_.size() < kept_ + 3) return false;
    const auto oldest = messages_.begin() + static_cast<std::ptrdiff_t>(kept_);
    messages_.erase(oldest, oldest + 2);
    return true;
  }

  Record record() const {
    Record record;
    for (const Message& message : messages_) {
      record.nodes.push_back({.parent = static_cast<std::int32_t>(record.nodes.size()) - 1, .message = message});
    }
    return record;
  }

 private:
  std::vector<Message> messages_;
  std::size_t kept_ = 0;  // messages that are never forgotten
};

struct ChatParts {
  const ModelChoice& choice;
  const Tokenizer& tokenizer;
  const LanguageModel& model;
  const PromptEncoder& encode_prompt;
};

// The history as a prompt, its oldest turns left out where the model's positions are too few; empty when even the
// newest question alone does not fit.
std::vector<std::int32_t> fitting_prompt(const ChatParts& parts, History& history) {
  const auto most = static_cast<std::size_t>(parts.model.config().max_positions) - 1;
  bool forgot = false;
  for (;;) {
    auto ids = parts.encode_prompt(history.record());
    if (ids.size() <= most) {
      if (forgot) log_warning("the conversation outgrew the model's positions: its oldest turns are left out");
      return ids;
    }
    if (!history.forget_oldest()) return {};
    forgot = true;
  }
}

// Writes the answer as it comes, and returns it.
std::string stream_answer(const ChatParts& parts, const GenerateRequest& request, Answer& out) {
  const TextInterface text = text_interface(parts.tokenizer);
  StreamingDecoder decoder(parts.tokenizer);
  const auto token = [&](std::size_t, int, std::span<const std::int32_t> ids) {
    if (std::find(text.stop_ids.begin(), text.stop_ids.end(), ids.back()) != text.stop_ids.end()) return;
    out.text(decoder.add(ids.back()));
    out.flush();
  };
  const auto answers =
      generate(parts.model, text, std::span(&request, 1), {.slots = 1}, {.token = token, .answered = {}});
  out.text(decoder.finish() + "\n");
  out.flush();
  return answers[0][0].text;
}

void converse(const ChatParts& parts, GenerateRequest request, History history) {
  Answer out;
  const bool terminal = ::isatty(STDIN_FILENO) != 0;
  for (std::string line;;) {
    if (terminal) out.text("> ");
    out.flush();
    if (!std::getline(std::cin, line) || line == "/exit") break;
    if (line == "/reset") history.clear();
    if (line.empty() || line == "/reset") continue;
    history.add(Role::user, line);
    request.prompt = fitting_prompt(parts, history);
    if (request.prompt.empty()) {
      log_warning("this message is longer than the model's positions: it was not sent");
      history.remove_last();
      continue;
    }
    history.add(Role::assistant, stream_answer(parts, request, out));
    ++request.id;
  }
  if (terminal && std::cin.eof()) out.text("\n");
  out.finish();
}

}  // namespace

int run_chat(Arguments& arguments) {
  const ModelChoice choice = model_choice(arguments);
  const History history(arguments.option("--system"));
  GenerateRequest request;
  request.sampling = sampling_options(arguments, {.temperature = 0.7, .top_p = 0.95});
  request.max_tokens = integer_from(arguments, "--max-tokens", 512, 1);
  request.seed = static_cast<std::uint64_t>(integer_from(arguments, "--seed", 0, 0));
  arguments.rest(0, 0, "no plain words");

  const Tokenizer tokenizer = Tokenizer::load(choice.tokenizer);
  if (!chat_encoder(choice.chat_template, tokenizer)) {
    throw ConfigError({.file = choice.tokenizer}, "no chat template", "one, for a conversation",
                      "name a file with --template");
  }
  const LanguageModel model = load_choice(choice, tokenizer);
  const PromptEncoder encode_prompt(choice.chat_template, tokenizer);
  converse({choice, tokenizer, model, encode_prompt}, request, history);
  return 0;
}

}  // namespace attune
