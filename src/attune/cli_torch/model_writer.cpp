#include "attune/cli_torch/model_writer.h"

#include <optional>
#include <utility>

#include "attune/base/log.h"
#include "attune/cli_torch/load.h"
#include "attune/generate/engine.h"
#include "attune/train/chat.h"

namespace attune {
namespace {

ModelChoice choice_of(const WriterSettings& settings) {
  ModelChoice choice = model_named(settings.model);
  if (!settings.tokenizer.empty()) choice.tokenizer = settings.tokenizer;
  choice.chat_template = settings.chat_template;
  return choice;
}

class ModelWriter final : public Writer {
 public:
  explicit ModelWriter(const WriterSettings& settings)
      : settings_(settings),
        choice_(choice_of(settings)),
        config_(read_model_config(choice_.model)),
        tokenizer_(Tokenizer::load(choice_.tokenizer)),
        encode_(choice_.chat_template, tokenizer_) {
    require_vocabulary(config_, tokenizer_.vocabulary_size(), choice_.tokenizer);
  }

  std::vector<std::vector<Written>> write(std::span<const WriteRequest> requests) const override {
    std::vector<std::vector<Written>> result(requests.size());
    std::vector<GenerateRequest> fitting;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      GenerateRequest request = request_of(requests[i]);
      const auto tokens = static_cast<std::int64_t>(request.prompt.size());
      if (tokens == 0 || tokens >= config_.max_positions) continue;
      fitting.push_back(std::move(request));
      places.push_back(i);
    }
    ProgressLine progress("write", fitting.size(), "prompts");
    const auto answered = [&](std::size_t place, const std::vector<Generated>& samples) {
      for (const Generated& sample : samples) {
        result[places[place]].push_back({.text = sample.text, .whole = sample.stop != StopReason::length});
      }
      progress.advance(place + 1);
    };
    generate(model(), text_interface(tokenizer_), fitting, {.slots = settings_.batch},
             {.token = {}, .answered = answered});
    return result;
  }

  std::string model_hash() const override { return model().content_hash(); }

 private:
  GenerateRequest request_of(const WriteRequest& request) const {
    return {.prompt = encode_(request.prompt),
            .samples = request.samples,
            .sampling = {.temperature = settings_.temperature,
                         .top_k = settings_.top_k,
                         .top_p = settings_.top_p,
                         .min_p = settings_.min_p},
            .max_tokens = settings_.max_tokens,
            .seed = request.seed,
            .id = request.id};
  }

  const LanguageModel& model() const {
    if (!model_) model_.emplace(load_choice(choice_, tokenizer_));
    return *model_;
  }

  WriterSettings settings_;
  ModelChoice choice_;
  ModelConfig config_;
  Tokenizer tokenizer_;
  PromptEncoder encode_;
  mutable std::optional<LanguageModel> model_;  // loaded when first asked for
};

}  // namespace

std::shared_ptr<const Writer> open_model_writer(const WriterSettings& settings) {
  return std::make_shared<ModelWriter>(settings);
}

}  // namespace attune
