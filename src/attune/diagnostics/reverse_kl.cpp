// Reverse KL on the model's own samples: how far it went from the reference, where it goes by itself.
#include <algorithm>
#include <cmath>

#include "attune/base/errors.h"
#include "attune/diagnostics/diagnostic.h"
#include "attune/diagnostics/divergence.h"
#include "attune/diagnostics/pairs.h"

namespace attune::diagnostics {
namespace {

// The model's samples as records whose completions are scored whole.
struct Samples {
  std::vector<TokenRecord> records = {};
  std::int64_t cut = 0;  // ended by the limit of tokens
};

Json estimate_json(const MeanEstimate& estimate) {
  return Json::object({{"mean", estimate.mean}, {"standard_error", estimate.standard_error}});
}

}  // namespace

class ReverseKlDiagnostic final : public Diagnostic {
  int prompts_ = 64;
  int samples_ = 4;
  std::int64_t max_tokens_ = 64;
  std::int64_t seed_ = 0;

 public:
  void describe(Fields& fields) {
    fields("prompts", prompts_, "how many of the data's prompts are answered, spread over it").above(0);
    fields("samples", samples_, "of each prompt, at temperature 1").above(0);
    fields("max_tokens", max_tokens_, "of a sample; longer answers are cut, and what follows is not measured").above(0);
    fields("seed", seed_, "of the samples").at_least(0);
  }

  Demands demands() const override { return {.reference = true}; }

  ReportPage run(const Subject& subject) const override {
    const auto& records = subject.data.front().records;
    Samples samples;
    TokenLogps policy, reference, data_policy, data_reference;
    {
      LanguageModel model = subject.models.front().load();
      samples = sample(model, records, subject.text);
      policy = token_logps(model, samples.records, subject.batch_tokens);
      data_policy = token_logps(model, records, subject.batch_tokens);
    }
    {
      LanguageModel model = subject.reference->load();
      reference = token_logps(model, samples.records, subject.batch_tokens);
      data_reference = token_logps(model, records, subject.batch_tokens);
    }
    return page_of(samples, flat(policy, reference), flat(data_policy, data_reference));
  }

 private:
  Samples sample(const LanguageModel& model, const std::vector<TokenRecord>& records, const TextInterface& text) const {
    std::vector<const TokenRecord*> usable;
    for (const TokenRecord& record : records) {
      if (!record.prompt.empty()) usable.push_back(&record);
    }
    if (usable.empty()) throw DataError({}, "no record with a prompt", "prompts to answer");
    const std::size_t count = std::min(usable.size(), static_cast<std::size_t>(prompts_));
    std::vector<GenerateRequest> requests;
    for (std::size_t i = 0; i < count; ++i) {
      requests.push_back({.prompt = usable[i * usable.size() / count]->prompt,
                          .samples = samples_,
                          .max_tokens = max_tokens_,
                          .seed = static_cast<std::uint64_t>(seed_),
                          .id = static_cast<std::int64_t>(i)});
    }
    Samples result;
    const auto answers = generate(model, text, requests);
    for (std::size_t i = 0; i < count; ++i) {
      TokenRecord record{.row = static_cast<std::int64_t>(i), .prompt = requests[i].prompt};
      for (const Generated& answer : answers[i]) {
        record.completions.push_back({answer.ids, std::vector<std::uint8_t>(answer.ids.size(), 1)});
        record.scored_tokens.push_back(static_cast<std::int64_t>(answer.ids.size()));
        result.cut += answer.stop == StopReason::length ? 1 : 0;
      }
      result.records.push_back(std::move(record));
    }
    return result;
  }

  static std::vector<SampleLogps> flat(const TokenLogps& policy, const TokenLogps& reference) {
    std::vector<SampleLogps> result;
    for (std::size_t r = 0; r < policy.size(); ++r) {
      for (std::size_t c = 0; c < policy[r].size(); ++c) {
        result.push_back({static_cast<std::int64_t>(r), policy[r][c], reference[r][c]});
      }
    }
    return result;
  }

  static ReportPage page_of(const Samples& samples, const std::vector<SampleLogps>& own,
                            const std::vector<SampleLogps>& data) {
    const ReverseKl kl = reverse_kl(own), on_data = reverse_kl(data);
    ReportPage page{.title = "Reverse KL on own samples"};
    page.json = Json::object({{"name", "reverse-kl"},
                              {"prompts", samples.records.size()},
                              {"samples", own.size()},
                              {"cut", samples.cut},
                              {"tokens_per_sample", kl.tokens},
                              {"k1", estimate_json(kl.k1)},
                              {"k3", estimate_json(kl.k3)},
                              {"k3_per_token", kl.k3.mean / kl.tokens},
                              {"largest_log_ratio", kl.largest_log_ratio},
                              {"log_mean_ratio", kl.log_mean_ratio},
                              {"mean_log_ratio_on_data", on_data.k1.mean}});
    // Near the reference k3 has the smaller error, far from it k1: r = ref / pi then has a heavy tail.
    const bool third = kl.k3.standard_error <= kl.k1.standard_error;
    const auto estimate = [](const char* name, const MeanEstimate& value) {
      return short_number(value.mean) + " nats (" + name + ", standard error " + short_number(value.standard_error) +
             ")";
    };
    const std::string k1 = estimate("k1", kl.k1), k3 = estimate("k3", kl.k3);
    page.lines.push_back("The model is " + (third ? k3 : k1) + " from the reference over " +
                         std::to_string(own.size()) + " of its own samples of " + short_number(kl.tokens) +
                         " tokens on average; the other estimate is " + (third ? k1 : k3) + ".");
    page.lines.push_back("Coverage: the sample that the reference covers least is exp(" +
                         short_number(kl.largest_log_ratio) + ") times likelier now. The mean log-ratio is " +
                         short_number(kl.k1.mean) + " on own samples and " + short_number(on_data.k1.mean) +
                         " on the answers of the data: where the second is far lower, mass went to answers that the "
                         "data does not hold.");
    if (samples.cut > 0) {
      page.lines.push_back(std::to_string(samples.cut) + " samples were cut at max_tokens: what follows adds more.");
    }
    Series ours{.label = "own samples"}, theirs{.label = "answers of the data"};
    add_sorted(own, ours);
    add_sorted(data, theirs);
    page.plots.push_back({.title = "log pi / ref of each answer, sorted",
                          .x_label = "share of the answers",
                          .series = {std::move(ours), std::move(theirs)}});
    return page;
  }

  // The quantile function of the log-ratios, at most 200 points.
  static void add_sorted(const std::vector<SampleLogps>& samples, Series& series) {
    std::vector<double> ratios;
    for (const SampleLogps& sample : samples) {
      double sum = 0;
      for (std::size_t i = 0; i < sample.policy.size(); ++i) sum += sample.policy[i] - sample.reference[i];
      ratios.push_back(sum);
    }
    std::sort(ratios.begin(), ratios.end());
    const std::size_t stride = ratios.size() / 200 + 1;
    for (std::size_t i = 0; i < ratios.size(); i += stride) {
      series.points.emplace_back((static_cast<double>(i) + 0.5) / static_cast<double>(ratios.size()), ratios[i]);
    }
  }
};

ATTUNE_PART(Diagnostic, reverse_kl, ReverseKlDiagnostic,
            .summary = "how far the model went from its reference, on its own samples, and whether that covers them",
            .formula =
                "KL(pi || ref) = E_pi[k]; k1 = log pi(y)/ref(y), k3 = sum_t (r - 1 - log r) with r = ref/pi; "
                "coverage: max and mean of pi/ref over the samples",
            .paper =
                "Song et al. 2024, The Importance of Online Data: Understanding Preference Fine-tuning via "
                "Coverage, arXiv:2406.01462; Schulman 2020, Approximating KL Divergence");

}  // namespace attune::diagnostics
