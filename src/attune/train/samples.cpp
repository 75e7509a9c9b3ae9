#include "attune/train/samples.h"

#include "attune/generate/engine.h"
#include "attune/train/chat.h"

namespace attune {

std::vector<Json> write_samples(const LanguageModel& model, const Tokenizer& tokenizer, const Dataset& prompts,
                                const RunSettings& settings) {
  const PromptEncoder encode_prompt(settings.data.chat_template, tokenizer);
  std::vector<GenerateRequest> requests;
  for (const Record& record : prompts.records) {
    if (requests.size() >= static_cast<std::size_t>(settings.samples.prompts)) break;
    GenerateRequest request{
        .prompt = encode_prompt(record), .sampling = {.temperature = 0}, .max_tokens = settings.samples.max_tokens};
    const auto room = settings.data.max_tokens - static_cast<std::int64_t>(request.prompt.size());
    if (request.prompt.empty() || room < 1) continue;
    request.max_tokens = std::min<std::int64_t>(request.max_tokens, room);
    requests.push_back(std::move(request));
  }
  std::vector<Json> rows;
  const auto answers = generate(model, text_interface(tokenizer), requests);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Generated& answer = answers[i].front();
    rows.push_back(Json::object({{"prompt", tokenizer.decode(requests[i].prompt)},
                                 {"text", answer.text},
                                 {"stop", std::string(name(answer.stop))}}));
  }
  return rows;
}

}  // namespace attune
