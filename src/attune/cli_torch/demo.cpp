// `attune demo`: the main job on an embedded default. People with known tastes vote on answers, a tiny model learns
// from demonstrations (SFT) and then from the votes (DPO), and the known tastes judge what it writes before and after.
#include <algorithm>
#include <array>
#include <cstdio>

#include "attune/base/clock.h"
#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/base/threads.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/verbs.h"
#include "attune/config/part.h"
#include "attune/data/write.h"
#include "attune/demo/generate.h"
#include "attune/demo/taste.h"
#include "attune/generate/engine.h"
#include "attune/reports/report.h"
#include "attune/stats/agreement.h"
#include "attune/tensor/allocator.h"
#include "attune/text/tokenizer_file.h"
#include "attune/train/chat.h"
#include "attune/train/offline.h"

namespace attune {
namespace {

using demo::DemoData;

constexpr const char* end_of_text = "<|end|>";

// A llama of 1.1 million weights over bytes.
constexpr const char* model_config = R"({
  "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "vocab_size": 257,
  "hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 5, "num_attention_heads": 4,
  "num_key_value_heads": 4, "max_position_embeddings": 512, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
  "initializer_range": 0.05, "tie_word_embeddings": true, "bos_token_id": null, "eos_token_id": 256
})";

std::string run_file(const Path& data, std::uint64_t seed) {
  const auto at = [&](const char* name) { return json_quote((data / name).string()); };
  return "# A tiny model from scratch: demonstrations first, then everybody's votes.\n"
         "model: {config: " +
         at("config.json") +
         ", init: random}\n"
         "tokenizer: " +
         at("tokenizer.json") +
         "\n"
         "batch: {records: 32, tokens: 4096}\n"
         "schedule: {warmup: 0.05, decay: cosine}\n"
         "samples: {prompts: 4, max_tokens: 64}\n"
         "seed: " +
         std::to_string(seed) +
         "\n"
         "stages:\n"
         "  - sft:\n"
         "      data: {train: " +
         at("demonstrations.jsonl") +
         "}\n"
         "      optimizer: {adamw: {lr: 3.0e-3, weight_decay: 0.01}}\n"
         "      epochs: 8\n"
         "  - dpo:\n"
         "      objective: [{dpo: {beta: 0.1}}, {sft: {weight: 0.5}}]\n"
         "      data: {train: " +
         at("votes.jsonl") + ", eval: " + at("held-out-votes.jsonl") +
         "}\n"
         "      optimizer: {adamw: {lr: 4.0e-4}}\n"
         "      epochs: 3\n";
}

void write_world(const DemoData& world, const Path& folder, std::uint64_t seed) {
  Fs& fs = disk();
  fs.make_directories(folder);
  write_dataset(fs, folder / "demonstrations.jsonl", world.sft);
  write_dataset(fs, folder / "votes.jsonl", world.preferences);
  write_dataset(fs, folder / "held-out-votes.jsonl", world.held_out_preferences);
  write_durably(fs, folder / "config.json", model_config);
  write_durably(fs, folder / "tokenizer.json", write_tokenizer_json({.special = {end_of_text}}));
  write_durably(fs, folder / "tokenizer_config.json", Json::object({{"eos_token", end_of_text}}).str(2) + "\n");
  write_durably(fs, folder / "run.yaml", run_file(folder, seed));
}

constexpr int samples_per_prompt = 4;

// Samples at temperature 0.7: [prompt][sample].
std::vector<std::vector<std::string>> answer_all(const Path& model_folder, const std::vector<std::string>& prompts) {
  const Tokenizer tokenizer = Tokenizer::load(model_folder);
  const LanguageModel model = LanguageModel::load(model_folder);
  std::vector<GenerateRequest> requests;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    requests.push_back({.prompt = tokenizer.encode(prompts[i]),
                        .samples = samples_per_prompt,
                        .sampling = {.temperature = 0.7},
                        .max_tokens = 96,
                        .id = static_cast<std::int64_t>(i)});
  }
  std::vector<std::vector<std::string>> answers;
  for (const auto& samples : generate(model, text_interface(tokenizer), requests, {.slots = 32})) {
    answers.emplace_back();
    for (const Generated& sample : samples) answers.back().push_back(sample.text);
  }
  return answers;
}

using Answers = std::vector<std::vector<std::string>>;

// How often a sample after is liked better than one before, over all pairs of samples of a prompt; equals count half.
// Samples of one prompt depend on each other, so what is drawn is the prompt, with its own share of wins.
Mean wins(const std::vector<std::string>& prompts, const Answers& before, const Answers& after,
          const std::function<double(std::string_view, std::string_view)>& taste) {
  std::vector<double> by_prompt;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    double won = 0;
    for (const auto& old_answer : before[i]) {
      for (const auto& new_answer : after[i]) {
        const double gain = taste(prompts[i], new_answer) - taste(prompts[i], old_answer);
        won += gain > 0 ? 1 : gain == 0 ? 0.5 : 0;
      }
    }
    by_prompt.push_back(won / static_cast<double>(before[i].size() * after[i].size()));
  }
  return mean_of(by_prompt);
}

std::string mean_text(const Mean& mean) {
  char text[96];
  std::snprintf(text, sizeof text, "%.1f %% (95 %%: %.1f to %.1f, %.0f questions)", 100 * mean.value,
                100 * mean.interval.low, 100 * mean.interval.high, mean.count);
  return text;
}

Json mean_json(const Mean& mean) {
  Json bounds = Json::array();
  bounds.push_back(mean.interval.low);
  bounds.push_back(mean.interval.high);
  return Json::object(
      {{"share", mean.value}, {"interval", std::move(bounds)}, {"n", static_cast<std::int64_t>(mean.count)}});
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

struct DemoOutcome {
  Mean win_rate = {};
  std::array<Mean, demo::kinds.size()> by_kind = {};
  RunOutcome run = {};
  double seconds = 0;
};

Json outcome_json(const DemoOutcome& outcome, const Path& run) {
  Json kinds = Json::object();
  for (std::size_t i = 0; i < demo::kinds.size(); ++i)
    kinds.set(demo::name(demo::kinds[i]), mean_json(outcome.by_kind[i]));
  return Json::object({{"run", run.string()},
                       {"win_rate", mean_json(outcome.win_rate)},
                       {"by_kind", std::move(kinds)},
                       {"seconds", outcome.seconds}});
}

}  // namespace

int run_demo(Arguments& arguments) {
  const bool json = arguments.flag("--json");
  const Path out = arguments.option("--out").value_or("runs/demo");
  const auto seed = static_cast<std::uint64_t>(arguments.integer("--seed", 0));
  const auto overrides = arguments.rest(0, 100, "[key=value ...]");
  const double start = now_seconds();
  install_caching_allocator();
  at::set_num_threads(thread_count());
  Answer answer;
  const auto say = [&](const std::string& text) {
    if (!json) answer.text(text + "\n");
  };

  const DemoData world = demo::make_demo_data({.seed = seed, .held_out = 0.25});
  write_world(world, out / "data", seed);
  say("A small world: " + std::to_string(world.sft.records.size()) + " demonstrations, " +
      std::to_string(world.preferences.records.size()) + " pairs of answers, each voted on by several of " +
      std::to_string(world.preferences.annotators.size()) + " people who like different things.\n");
  const ReportPage report = find_part<Report>("disagreement")->part->make()->run(world.preferences);
  say("How far do they agree?");
  for (const auto& line : report.lines) say("  " + line);
  write_durably(disk(), out / "data" / "disagreement.html", html_of(report));

  auto words = overrides;
  words.push_back("out=" + (out / "run").string());
  RunFile run = load_run(out / "data" / "run.yaml", words, "dpo");
  RunDirectory directory = RunDirectory::create(disk(), run);
  DemoOutcome outcome;
  outcome.run = run_offline(run, directory, {.fs = disk()});

  const auto before = answer_all(directory.stage_model("1-sft"), world.held_out_prompts);
  const auto after = answer_all(directory.model(), world.held_out_prompts);
  outcome.win_rate = wins(world.held_out_prompts, before, after, demo::population_taste);
  for (std::size_t i = 0; i < demo::kinds.size(); ++i) {
    const auto taste = [kind = demo::kinds[i]](auto prompt, auto text) { return demo::taste(kind, prompt, text); };
    outcome.by_kind[i] = wins(world.held_out_prompts, before, after, taste);
  }
  outcome.seconds = now_seconds() - start;
  if (json) {
    answer.document(outcome_json(outcome, directory.path()));
    answer.finish();
    return 0;
  }
  say("\nAnswers to questions it never saw, before and after learning from the votes:");
  for (std::size_t i = 0; i < std::min<std::size_t>(6, before.size()); ++i) {
    say("  " + one_line(world.held_out_prompts[i]) + "\n    before: " + one_line(before[i].front()) +
        "\n    after:  " + one_line(after[i].front()));
  }
  say("\nHow often the answer after is liked better than the one before, by the known tastes:");
  say("  everybody  " + mean_text(outcome.win_rate));
  for (std::size_t i = 0; i < demo::kinds.size(); ++i) {
    std::string kind(demo::name(demo::kinds[i]));
    kind.resize(11, ' ');
    say("  " + kind + mean_text(outcome.by_kind[i]));
  }
  char speed[160];
  std::snprintf(speed, sizeof speed,
                "\n%.0f tokens/s in the last step, %.2f of the machine's limit; %.0f s for everything",
                outcome.run.metrics["tokens_per_second"], outcome.run.metrics["fraction_of_limit"], outcome.seconds);
  say(speed);
  say("curves:      " + (directory.path() / "report.html").string());
  say("the votes:   " + (out / "data" / "disagreement.html").string());
  say("the model:   " + directory.model().string());
  say("ask it:      build/attune generate --model " + directory.model().string() + " --prompts " +
      (out / "data" / "held-out-votes.jsonl").string());
  answer.finish();
  return 0;
}

}  // namespace attune
