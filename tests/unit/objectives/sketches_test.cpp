// The interface held against objectives of other kinds than the shipped ones: batch statistics without gradient (KTO),
// two denominators (ORPO), lists (Plackett-Luce), the full vocabulary (reverse KL). Each is checked against its closed
// form; when one of them hurts, the interface is wrong.
#include <ATen/ops/allclose.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logcumsumexp.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <numeric>

#include "attune/objectives/pairwise.h"
#include "attune/policy/tabular.h"
#include "support/pairs.h"

namespace attune {
namespace {

// Ethayarajh et al. 2024, eq. 8: z0 is the mean log-ratio on mismatched prompts, clamped at 0, over the whole step.
class KtoSketch final : public Objective {
 public:
  Needs needs() const override { return {.models = {"reference"}}; }
  void layout(const RecordView& record, Layout& layout) const override {
    for (std::size_t i = 0; i < record.thumbs.size(); ++i) {
      const bool good = record.thumbs[i] > 0;
      layout.add(record, static_cast<std::int32_t>(i), good ? ResponseRole::chosen : ResponseRole::rejected);
      layout.add_probe(record, static_cast<std::int32_t>(i));
    }
  }
  Statistics gather(const Responses& responses) const override {
    const Tensor probes = responses.indices_of(ResponseRole::kl_probe);
    const Tensor ratio = (responses.logps - responses.model("reference").logps).detach().index_select(0, probes);
    return {.sums = {{"ratio", ratio.sum()}, {"count", at::tensor(static_cast<double>(probes.size(0)), at::kDouble)}}};
  }
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress&) const override {
    const Tensor z0 = at::clamp_min(statistics.sums.at("ratio") / statistics.sums.at("count"), 0);
    const Tensor ratio = responses.logps - responses.model("reference").logps;
    const Tensor good = ratio.index_select(0, responses.indices_of(ResponseRole::chosen));
    const Tensor bad = ratio.index_select(0, responses.indices_of(ResponseRole::rejected));
    Loss loss;
    loss.terms.push_back({"good", (1 - at::sigmoid(0.1 * (good - z0))).sum(), Per::response, ResponseRole::chosen});
    loss.terms.push_back({"bad", (1 - at::sigmoid(0.1 * (z0 - bad))).sum(), Per::response, ResponseRole::rejected});
    return loss;
  }
};

TEST(Sketches, KtoGathersItsEstimateOverAllMicroBatchesBeforeAnyLoss) {
  const KtoSketch kto;
  const auto leaf = at::tensor({-3.0, -5.0, -4.0, -2.5, -6.0, -1.0}, at::kDouble);
  const std::vector<double> reference{-3.5, -4, -4.2, -3, -5, -2};
  // Two micro-batches of one record: an answer (thumb up, thumb down) and its probe.
  Statistics statistics;
  std::vector<Responses> parts;
  Counts counts;
  double probe_sum = 0;
  for (std::int64_t i = 0; i < 2; ++i) {
    Layout layout;
    const std::vector<std::int64_t> tokens{4};
    const std::vector<std::int8_t> thumbs{static_cast<std::int8_t>(i == 0 ? 1 : -1)};
    const RecordView record{.index = i, .scored_tokens = tokens, .thumbs = thumbs, .probe_prompt = 1 - i};
    kto.layout(record, layout);
    layout.end_record();
    ASSERT_EQ(layout.batch().responses.size(), 2u);
    EXPECT_EQ(layout.batch().responses[1].prompt, 1 - i);
    counts.add(layout.batch());
    Responses responses = layout.batch().skeleton(leaf);
    responses.logps = leaf.narrow(0, 2 * i, 2);
    responses.models["reference"].logps = at::tensor(
        std::vector<double>{reference[2 * static_cast<std::size_t>(i)], reference[2 * static_cast<std::size_t>(i) + 1]},
        at::kDouble);
    probe_sum += leaf[2 * i + 1].item<double>() - reference[2 * static_cast<std::size_t>(i) + 1];
    statistics.merge(kto.gather(responses));
    parts.push_back(responses);
  }
  EXPECT_NEAR((statistics.sums.at("ratio") / statistics.sums.at("count")).item<double>(), probe_sum / 2, 1e-15);
  double sum = 0;
  for (const auto& part : parts) sum += total(kto.compute(part, statistics, {}), counts).item<double>();
  // z0 = max(0, (-1 + 0.5) / 2) = 0; good 1 - sigmoid(0.1 * 0.5), bad 1 - sigmoid(-0.1 * 0.2).
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_NEAR(sum, 1 - sigmoid(0.05) + 1 - sigmoid(-0.02), 1e-12);
}

// Hong et al. 2024: mean NLL of the chosen tokens plus an odds-ratio term per pair: two denominators in one loss.
class OrpoSketch final : public Objective {
 public:
  Needs needs() const override { return {}; }
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    const auto sides = objectives::pair_sides(responses);
    const Tensor a = sides.chosen / sides.chosen_length, b = sides.rejected / sides.rejected_length;
    const Tensor odds = (a - b) - ((-a.exp()).log1p() - (-b.exp()).log1p());
    Loss loss;
    loss.terms.push_back({"nll", -sides.chosen.sum(), Per::token, ResponseRole::chosen});
    loss.terms.push_back({"odds", -at::log_sigmoid(odds).sum(), Per::pair, {}, 0.1});
    return loss;
  }
};

TEST(Sketches, OrpoHasTwoDenominatorsAndEqualsItsClosedForm) {
  const testing::PairTable table{
      .chosen = {-12, -30.5}, .rejected = {-15.25, -28}, .chosen_tokens = {6, 14}, .rejected_tokens = {8, 11}};
  const OrpoSketch orpo;
  Layout layout;
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::vector<std::int64_t> tokens{table.chosen_tokens[at], table.rejected_tokens[at]};
    const std::vector<RecordView::Preference> preferences{{.chosen = 0, .rejected = 1}};
    orpo.layout({.index = i, .scored_tokens = tokens, .preferences = preferences}, layout);
    layout.end_record();
  }
  const Batch batch = layout.take();
  Counts counts;
  counts.add(batch);
  const Loss loss = orpo.compute(table.responses(batch, table.leaf()), {}, {});
  // 42.5 / 20 and the odds term 0.063007072 of TRL's formula at beta 0.1.
  EXPECT_NEAR(total(loss, counts).item<double>(), 2.125 + 0.063007072, 1e-9);
}

// Plackett-Luce over a ranked group: -sum_k [s_k - logsumexp(s_k .. s_K)], best first.
class ListSketch final : public Objective {
 public:
  Needs needs() const override { return {}; }
  void layout(const RecordView& record, Layout& layout) const override {
    std::vector<std::int64_t> members;
    for (std::size_t i = 0; i < record.labels.size(); ++i) {
      members.push_back(layout.add(record, static_cast<std::int32_t>(i), ResponseRole::chosen));
    }
    layout.group(members);
  }
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    Tensor sum = at::zeros({}, responses.logps.options());
    for (std::int64_t g = 0; g < responses.groups.count; ++g) {
      const Tensor members = (responses.groups.index == g).nonzero().squeeze(1);
      const Tensor best_first = responses.scores.index_select(0, members).argsort(0, /*descending=*/true);
      const Tensor s = responses.logps.index_select(0, members.index_select(0, best_first));
      sum = sum - (s - at::logcumsumexp(s.flip({0}), 0).flip({0})).sum();
    }
    Loss loss;
    loss.terms.push_back({"list", sum, Per::group});
    return loss;
  }
};

TEST(Sketches, PlackettLuceOnAGroupEqualsItsClosedForm) {
  const ListSketch list;
  Layout layout;
  const std::vector<std::int64_t> tokens{1, 1, 1};
  const std::vector<CompletionLabels> labels{{.score = 2}, {.score = 5}, {.score = 1}};  // order: answer 1, 0, 2
  list.layout({.index = 0, .scored_tokens = tokens, .labels = labels}, layout);
  layout.end_record();
  const Batch batch = layout.take();
  TabularPolicy policy(at::tensor({0.3, -0.2, 1.0}, at::kDouble).view({1, 3}));
  Counts counts;
  counts.add(batch);
  const double value = total(list.compute(policy.score(batch, {}), {}, {}), counts).item<double>();
  const double e0 = std::exp(0.3), e1 = std::exp(-0.2), e2 = std::exp(1.0);
  EXPECT_NEAR(value, -std::log(e1 / (e0 + e1 + e2)) - std::log(e0 / (e0 + e2)), 1e-12);
}

// Reverse KL to a teacher over the full vocabulary, per token.
class DistilSketch final : public Objective {
 public:
  Needs needs() const override {
    VocabularyTerm kl{"kl", {"teacher"}, [](const VocabularyChunk& chunk) {
                        const Tensor p = at::log_softmax(chunk.logits, -1);
                        const Tensor q = at::log_softmax(chunk.model_logits.at("teacher"), -1);
                        return (p.exp() * (p - q)).sum(-1);
                      }};
    return {.models = {"teacher"}, .vocabulary = {kl}, .tokens = true};
  }
  void layout(const RecordView& record, Layout& layout) const override { layout.add(record, 0, ResponseRole::chosen); }
  Loss compute(const Responses& responses, const Statistics&, const Progress&) const override {
    Loss loss;
    loss.terms.push_back({"kl", responses.tokens.vocabulary.at("kl").sum(), Per::token});
    return loss;
  }
};

TEST(Sketches, FullVocabularyKlHasTheExactGradient) {
  const DistilSketch distil;
  const Tensor start = at::tensor({0.3, -0.2, 1.0}, at::kDouble).view({1, 3});
  const Tensor teacher = at::tensor({0.0, 0.5, -1.0}, at::kDouble).view({1, 3});
  Layout layout;
  const std::vector<std::int64_t> tokens{1};
  distil.layout({.index = 0, .scored_tokens = tokens}, layout);
  layout.end_record();
  const Batch batch = layout.take();
  Counts counts;
  counts.add(batch);
  TabularPolicy policy(start);
  policy.freeze("teacher", teacher);
  const Tensor value = total(distil.compute(policy.score(batch, distil.needs()), {}, {}), counts);
  value.backward();
  // d KL(p || q) / d z_k = p_k ((log p_k - log q_k) - KL)
  const Tensor p = at::log_softmax(start, -1), q = at::log_softmax(teacher, -1);
  const Tensor expected = p.exp() * ((p - q) - value.detach());
  EXPECT_TRUE(at::allclose(policy.logits().grad(), expected, 1e-12, 1e-14));
}

TEST(Sketches, NeedsOfSeveralObjectivesMergeByName) {
  Needs needs = DistilSketch().needs();
  needs.merge(DistilSketch().needs());
  needs.merge(KtoSketch().needs());
  EXPECT_EQ(needs.models, (std::vector<std::string>{"teacher", "reference"}));
  EXPECT_EQ(needs.vocabulary.size(), 1u);
  EXPECT_TRUE(needs.tokens);
}

}  // namespace
}  // namespace attune
