#include "attune/cli_torch/language_scores.h"

#include <algorithm>

#include "attune/base/errors.h"

namespace attune {
namespace {

// Texts that go on from one prompt. A token belongs to the text in which it begins.
TokenRecord continued(const std::string& prompt, std::span<const std::string> texts, const Tokenizer& tokenizer) {
  std::vector<Encoding> all;
  std::vector<std::size_t> begins;
  for (const std::string& text : texts) {
    const Encoding& encoding =
        all.emplace_back(tokenizer.encode_with_offsets(prompt + text, {.add_special_tokens = true}));
    std::size_t begin = 0;
    while (begin < encoding.ids.size() &&
           !(encoding.spans[begin].end > encoding.spans[begin].begin && encoding.spans[begin].begin >= prompt.size())) {
      ++begin;
    }
    if (begin == encoding.ids.size()) {
      throw DataError({}, "a question or a follow-up without a token of its own", "texts that the tokenizer divides");
    }
    begins.push_back(begin);
  }
  std::size_t shared = *std::min_element(begins.begin(), begins.end());
  for (const Encoding& encoding : all) {
    const auto first = all.front().ids.begin();
    shared = static_cast<std::size_t>(
        std::mismatch(first, first + static_cast<std::ptrdiff_t>(shared), encoding.ids.begin()).first - first);
  }
  TokenRecord record;
  const auto cut = static_cast<std::ptrdiff_t>(shared);
  record.prompt.assign(all.front().ids.begin(), all.front().ids.begin() + cut);
  for (std::size_t i = 0; i < all.size(); ++i) {
    TokenCompletion completion{.ids = {all[i].ids.begin() + cut, all[i].ids.end()}};
    completion.scored.assign(completion.ids.size(), 1);
    std::fill_n(completion.scored.begin(), begins[i] - shared, std::uint8_t{0});
    record.scored_tokens.push_back(static_cast<std::int64_t>(all[i].ids.size() - begins[i]));
    record.sequence_tokens.push_back(std::ssize(all[i].ids));
    record.completions.push_back(std::move(completion));
  }
  return record;
}

std::string transcript(const Record& record, const Completion& completion) {
  std::string text;
  for (const Message* message : path_to(record, completion.last)) {
    if (message->role == Role::plain) {
      text += text_of(*message);
      continue;
    }
    std::string speaker(name(message->role));
    speaker[0] = static_cast<char>(speaker[0] - 'a' + 'A');
    text += speaker + ": " + text_of(*message) + "\n\n";
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// Likelihoods of the texts after each completion's prompt, one record a completion, in order.
template <class Prompt>
std::vector<std::vector<Likelihood>> after_completions(LanguageModel& model, const Tokenizer& tokenizer,
                                                       const Dataset& dataset, std::span<const std::string> texts,
                                                       std::int64_t batch_tokens, const Prompt& prompt_of) {
  std::vector<TokenRecord> records;
  for (const Record& record : dataset.records) {
    for (const Completion& completion : record.completions) {
      records.push_back(continued(prompt_of(record, completion), texts, tokenizer));
    }
  }
  return likelihoods(model, records, batch_tokens);
}

}  // namespace

std::vector<std::vector<double>> yes_no_scores(LanguageModel& model, const Tokenizer& tokenizer, const Dataset& dataset,
                                               const YesNoQuestions& asked, std::int64_t batch_tokens) {
  const std::vector<std::string> answers{" Yes", " No"};
  std::vector<std::vector<double>> rewards;  // of each completion, one a question
  for (const std::string& question : asked.questions) {
    const auto said = after_completions(
        model, tokenizer, dataset, answers, batch_tokens, [&](const Record& record, const Completion& completion) {
          return "Text: " + completion_text(record, completion) + "\n" + question + "\nResponse:";
        });
    rewards.resize(said.size());
    for (std::size_t i = 0; i < said.size(); ++i) {
      rewards[i].push_back(yes_no_reward(said[i][0], said[i][1], asked.wanted));
    }
  }
  std::vector<std::vector<double>> scores;
  std::size_t next = 0;
  for (const Record& record : dataset.records) {
    scores.emplace_back();
    for (std::size_t c = 0; c < record.completions.size(); ++c) {
      scores.back().push_back(combine(rewards[next++], asked.combine, asked.factor));
    }
  }
  return scores;
}

std::vector<std::vector<double>> follow_up_scores(LanguageModel& model, const Tokenizer& tokenizer,
                                                  const Dataset& dataset, std::int64_t batch_tokens) {
  std::vector<std::string> texts;
  for (const FollowUp& one : follow_ups()) texts.push_back(" " + std::string(one.text));
  const auto said = after_completions(
      model, tokenizer, dataset, texts, batch_tokens,
      [](const Record& record, const Completion& completion) { return transcript(record, completion) + "\n\nUser:"; });
  std::vector<std::vector<double>> scores;
  std::size_t next = 0;
  for (const Record& record : dataset.records) {
    scores.emplace_back();
    for (std::size_t c = 0; c < record.completions.size(); ++c) {
      scores.back().push_back(follow_up_reward(follow_ups(), said[next++]));
    }
  }
  return scores;
}

}  // namespace attune
