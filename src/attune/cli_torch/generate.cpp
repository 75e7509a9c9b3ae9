// `attune generate`: samples answers to prompts, batched, from one model or several combined.
#include "attune/generate/engine.h"

#include "attune/base/log.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/sampling.h"
#include "attune/cli_torch/verbs.h"
#include "attune/data/read.h"
#include "attune/data/validate.h"
#include "attune/train/chat.h"

namespace attune {
namespace {

// The part of a request that is the same for all prompts.
GenerateRequest request_options(Arguments& arguments) {
  GenerateRequest request;
  request.samples = static_cast<int>(integer_from(arguments, "--n", 1, 1));
  request.sampling = sampling_options(arguments);
  request.max_tokens = integer_from(arguments, "--max-tokens", request.max_tokens, 1);
  request.seed = static_cast<std::uint64_t>(integer_from(arguments, "--seed", 0, 0));
  request.stop = arguments.every("--stop");
  for (const std::string& stop : request.stop) {
    if (stop.empty()) arguments.fail("an empty --stop", "a text");
  }
  return request;
}

template <class Number>
Json list_of(const std::vector<Number>& values) {
  Json list = Json::array();
  for (const Number value : values) list.push_back(value);
  return list;
}

Json row_of(const Json& record, std::size_t sample, const Generated& generated) {
  return Json::object({{"record", record},
                       {"completion", sample},
                       {"text", generated.text},
                       {"ids", list_of(generated.ids)},
                       {"logps", list_of(generated.logps)},
                       {"stop", name(generated.stop)}});
}

}  // namespace

int run_generate(Arguments& arguments) {
  const std::vector<WeightedChoice> choices = model_choices(arguments);
  const ModelChoice& choice = choices.front().choice;
  const std::string prompts = arguments.required("--prompts");
  const GenerateRequest common = request_options(arguments);
  EngineOptions options;
  options.slots = static_cast<int>(integer_from(arguments, "--batch", options.slots, 1));
  const std::optional<std::string> out = arguments.option("--out");
  const std::string attributes = arguments.option("--attributes").value_or("");
  arguments.rest(0, 0, "no plain words");

  const Dataset dataset = read_dataset({{.path = prompts}}).dataset;
  require_text_alone(dataset);
  const Tokenizer tokenizer = Tokenizer::load(choice.tokenizer);
  for (const WeightedChoice& weighted : choices) require_tokenizer(weighted.choice, tokenizer, choice.tokenizer);
  const PromptEncoder encode_prompt(choice.chat_template, tokenizer, attributes);
  std::vector<GenerateRequest> requests;
  for (const Record& record : dataset.records) {
    GenerateRequest request = common;
    request.prompt = encode_prompt(record);
    request.id = static_cast<std::int64_t>(requests.size());
    requests.push_back(std::move(request));
  }
  std::vector<LanguageModel> loaded;
  for (const WeightedChoice& weighted : choices) loaded.push_back(load_choice(weighted.choice, tokenizer));
  std::vector<WeightedModel> models;
  for (std::size_t m = 0; m < loaded.size(); ++m) {
    models.push_back({.model = &loaded[m], .weight = choices[m].weight});
  }
  Answer answer(out);
  ProgressLine progress("generate", requests.size(), "prompts");
  const auto answered = [&](std::size_t request, const std::vector<Generated>& samples) {
    const Json record = record_address(dataset.records[request].id, static_cast<std::int64_t>(request));
    for (std::size_t i = 0; i < samples.size(); ++i) answer.row(row_of(record, i, samples[i]));
    answer.flush();
    progress.advance(request + 1);
  };
  generate(models, text_interface(tokenizer), requests, options, {.token = {}, .answered = answered});
  answer.finish();
  return 0;
}

}  // namespace attune
