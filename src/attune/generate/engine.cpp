#include "attune/generate/engine.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/base/threads.h"
#include "attune/generate/stop_strings.h"

namespace attune {
namespace {

using Answers = std::vector<std::vector<Generated>>;

void check(const GenerateRequest& request, std::int64_t positions) {
  const SamplingOptions& sampling = request.sampling;
  require(request.samples > 0 && request.max_tokens > 0, "a request for nothing");
  require(sampling.temperature >= 0 && sampling.top_k >= 0 && sampling.top_p > 0 && sampling.top_p <= 1 &&
              sampling.min_p >= 0 && sampling.min_p <= 1,
          "sampling options out of range");
  require(std::none_of(request.stop.begin(), request.stop.end(), [](const auto& stop) { return stop.empty(); }),
          "an empty stop string");
  const Where where{.record = std::to_string(request.id), .field = "prompt"};
  if (request.prompt.empty()) throw DataError(where, "an empty prompt", "at least one token");
  const auto tokens = static_cast<std::int64_t>(request.prompt.size());
  if (tokens + 1 > positions) {
    throw DataError(where, std::to_string(tokens) + " tokens",
                    "at most " + std::to_string(positions - 1) + ": the model's positions less one");
  }
}

// A prompt that is computed, and whose samples are not all started yet.
struct ReadyPrompt {
  std::size_t request = 0;
  CombinedDecoder::Slot slot = 0;
  Tensor logits;    // [V] float32, of its last token
  int started = 0;  // samples
};

struct RunningSample {
  std::size_t request = 0;
  int sample = 0;
  CombinedDecoder::Slot slot = 0;
  std::int64_t most_tokens = 0;
  Random random;
  StopStrings stops;
  Tensor logits;  // [V] float32 that the next token is drawn from; undefined: the last token was not decoded yet
};

class Engine {
 public:
  Engine(std::span<const WeightedModel> models, const TextInterface& text, std::span<const GenerateRequest> requests,
         const EngineOptions& options, const GenerateEvents& events)
      : text_(text), requests_(requests), options_(options), events_(events), decoder_(models) {
    for (const GenerateRequest& request : requests) {
      check(request, decoder_.max_positions());
      answers_.emplace_back(static_cast<std::size_t>(request.samples));
      unfinished_.push_back(request.samples);
    }
  }

  Answers run() {
    for (;;) {
      while (seat_samples()) draw();
      if (running_.empty()) return std::move(answers_);
      step();
      draw();
    }
  }

 private:
  std::size_t free_seats() const { return static_cast<std::size_t>(options_.slots) - running_.size(); }
  void prefill();
  bool seat_samples();
  void start_sample(ReadyPrompt& prompt);
  void step();
  void draw();
  bool append(RunningSample& running, const SampledToken& token);
  void finish(RunningSample& running, StopReason reason);

  const TextInterface& text_;
  std::span<const GenerateRequest> requests_;
  EngineOptions options_;
  const GenerateEvents& events_;
  CombinedDecoder decoder_;
  std::size_t next_request_ = 0;  // the first that is not computed
  std::deque<ReadyPrompt> ready_;
  std::vector<RunningSample> running_;
  Answers answers_;
  std::vector<int> unfinished_;  // samples of each request
  std::size_t next_answered_ = 0;
};

// Computes the prompts of as many waiting requests as have samples for the free seats.
void Engine::prefill() {
  std::vector<std::span<const std::int32_t>> prompts;
  std::size_t samples = 0;
  std::int64_t tokens = 0;
  const std::size_t first = next_request_;
  for (; next_request_ < requests_.size() && samples < free_seats(); ++next_request_) {
    const GenerateRequest& request = requests_[next_request_];
    tokens += static_cast<std::int64_t>(request.prompt.size());
    if (!prompts.empty() && tokens > options_.prefill_tokens) break;
    prompts.emplace_back(request.prompt);
    samples += static_cast<std::size_t>(request.samples);
  }
  const auto [slots, logits] = decoder_.prefill(prompts);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    ready_.push_back({.request = first + i, .slot = slots[i], .logits = logits[static_cast<std::int64_t>(i)]});
  }
}

// Fills free seats from computed prompts, in order. False when there was no seat or nobody to take it.
bool Engine::seat_samples() {
  if (free_seats() == 0) return false;
  if (ready_.empty() && next_request_ == requests_.size()) return false;
  if (ready_.empty()) prefill();
  while (free_seats() > 0 && !ready_.empty()) {
    ReadyPrompt& prompt = ready_.front();
    start_sample(prompt);
    if (prompt.started < requests_[prompt.request].samples) continue;
    decoder_.release(prompt.slot);
    ready_.pop_front();
  }
  return true;
}

void Engine::start_sample(ReadyPrompt& prompt) {
  const GenerateRequest& request = requests_[prompt.request];
  const std::int64_t room = decoder_.max_positions() - static_cast<std::int64_t>(request.prompt.size());
  running_.push_back({.request = prompt.request,
                      .sample = prompt.started,
                      .slot = decoder_.fork(prompt.slot),
                      .most_tokens = std::min(request.max_tokens, room),
                      .random = Random(request.seed, "sample", {request.id, prompt.started}),
                      .stops = StopStrings(request.stop, text_.decode),
                      .logits = prompt.logits});
  ++prompt.started;
}

void Engine::step() {
  std::vector<Decoder::Slot> slots;
  std::vector<std::int32_t> ids;
  for (const RunningSample& running : running_) {
    slots.push_back(running.slot);
    ids.push_back(answers_[running.request][static_cast<std::size_t>(running.sample)].ids.back());
  }
  const Tensor logits = decoder_.step(slots, ids);
  for (std::size_t i = 0; i < running_.size(); ++i) running_[i].logits = logits[static_cast<std::int64_t>(i)];
}

// The next token of every sample that has logits; those that end leave their seats.
void Engine::draw() {
  std::vector<SampledToken> tokens(running_.size());
  parallel_for(running_.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      RunningSample& running = running_[i];
      if (!running.logits.defined()) continue;
      const std::span logits(running.logits.const_data_ptr<float>(), static_cast<std::size_t>(running.logits.size(0)));
      if (!std::all_of(logits.begin(), logits.end(), [](float logit) { return std::isfinite(logit); })) {
        throw FormatError({}, "logits that are not finite", "finite ones", "check the model's weights");
      }
      tokens[i] = sample(logits, requests_[running.request].sampling, running.random.uniform());
    }
  });
  std::vector<RunningSample> staying;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    RunningSample& running = running_[i];
    if (running.logits.defined() && append(running, tokens[i])) continue;
    running.logits = Tensor();
    staying.push_back(std::move(running));
  }
  running_ = std::move(staying);
}

// Whether the sample has ended with this token.
bool Engine::append(RunningSample& running, const SampledToken& token) {
  Generated& answer = answers_[running.request][static_cast<std::size_t>(running.sample)];
  answer.ids.push_back(token.id);
  answer.logps.push_back(token.logp);
  if (events_.token) events_.token(running.request, running.sample, answer.ids);
  if (std::find(text_.stop_ids.begin(), text_.stop_ids.end(), token.id) != text_.stop_ids.end()) {
    finish(running, StopReason::eos);
  } else if (running.stops.found(answer.ids)) {
    finish(running, StopReason::stop_string);
  } else if (static_cast<std::int64_t>(answer.ids.size()) == running.most_tokens) {
    finish(running, StopReason::length);
  } else {
    return false;
  }
  return true;
}

void Engine::finish(RunningSample& running, StopReason reason) {
  Generated& answer = answers_[running.request][static_cast<std::size_t>(running.sample)];
  answer.stop = reason;
  if (reason == StopReason::stop_string) {
    answer.text = running.stops.text_before();
  } else {
    answer.text = text_.decode(std::span(answer.ids).first(answer.ids.size() - (reason == StopReason::eos ? 1 : 0)));
  }
  decoder_.release(running.slot);
  --unfinished_[running.request];
  for (; next_answered_ < unfinished_.size() && unfinished_[next_answered_] == 0; ++next_answered_) {
    if (events_.answered) events_.answered(next_answered_, answers_[next_answered_]);
  }
}

}  // namespace

std::string_view name(StopReason reason) {
  switch (reason) {
    case StopReason::eos:
      return "eos";
    case StopReason::length:
      return "length";
    case StopReason::stop_string:
      return "stop-string";
  }
  return "";
}

Answers generate(std::span<const WeightedModel> models, const TextInterface& text,
                 std::span<const GenerateRequest> requests, const EngineOptions& options,
                 const GenerateEvents& events) {
  require(options.slots > 0 && options.prefill_tokens > 0, "an engine without slots");
  return Engine(models, text, requests, options, events).run();
}

Answers generate(const LanguageModel& model, const TextInterface& text, std::span<const GenerateRequest> requests,
                 const EngineOptions& options, const GenerateEvents& events) {
  const WeightedModel alone{.model = &model};
  return generate(std::span(&alone, 1), text, requests, options, events);
}

}  // namespace attune
