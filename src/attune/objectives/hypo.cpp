// Hybrid preference optimisation, the loss: an objective on offline pairs plus the reverse KL on the policy's own
// samples.
#include <ATen/ops/index_select.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>

#include "attune/objectives/modifier.h"
#include "attune/objectives/pairwise.h"

namespace attune::objectives {

enum class Baseline { none, leave_one_out };
constexpr auto enum_names(Baseline) {
  return std::array{std::pair{std::string_view("none"), Baseline::none},
                    std::pair{std::string_view("leave_one_out"), Baseline::leave_one_out}};
}

class Hypo final : public Modifier {
  double lambda_ = 0.1;
  Baseline baseline_ = Baseline::none;

 public:
  void describe(Fields& fields) {
    describe_objective(fields);
    fields("lambda", lambda_, "weight of the reverse KL; 0 is the objective alone").at_least(0);
    fields("baseline", baseline_, "leave_one_out: the mean log-ratio of a prompt's other samples is taken off");
  }

  Needs needs() const override {
    Needs needs = Modifier::needs();
    needs.merge({.models = {"reference"}});
    return needs;
  }
  std::string data() const override { return Modifier::data() + ", and samples of the policy"; }

  // Samples of the policy are the completions that nobody judged.
  void layout(const RecordView& record, Layout& layout) const override {
    Modifier::layout(record, layout);
    if (lambda_ == 0) return;
    std::vector<std::int64_t> group;
    for (const std::int32_t sample : samples_of(record)) {
      group.push_back(layout.add(record, sample, ResponseRole::self_sample));
    }
    if (!group.empty()) layout.group(group);
  }

  // Song et al. 2024. The gradient of KL(pi || ref) by scores: E[(w - baseline) d log pi], with the log-ratio
  // w = log pi - log ref held fixed. The value of the term is only the carrier of that gradient; the KL itself is the
  // metric.
  Loss compute(const Responses& responses, const Statistics& statistics, const Progress& progress) const override {
    Loss loss = Modifier::compute(responses, statistics, progress);
    if (lambda_ == 0) return loss;
    const Tensor rows = responses.indices_of(ResponseRole::self_sample);
    const Tensor logps = responses.logps.index_select(0, rows);
    const Tensor ratio = (logps - responses.model("reference").logps.index_select(0, rows)).detach();
    Tensor advantage = ratio;
    if (baseline_ == Baseline::leave_one_out && responses.groups.index.defined()) {
      advantage = ratio - mean_of_others(ratio, responses.groups.index.index_select(0, rows), responses.groups.count);
    }
    loss.terms.push_back({.name = "kl",
                          .sum = (advantage * logps).sum(),
                          .per = Per::response,
                          .role = ResponseRole::self_sample,
                          .weight = lambda_});
    loss.metrics.add("kl", ratio.sum(), static_cast<double>(rows.size(0)));
    return loss;
  }

 private:
  // Of each value the mean of the others of its group; 0 where it is alone, or a sample of another objective (group
  // -1).
  static Tensor mean_of_others(const Tensor& values, const Tensor& group, std::int64_t groups) {
    const Tensor known = (group >= 0).to(values.scalar_type()), place = group.clamp_min(0);
    const auto summed = [&](const Tensor& what) {
      return at::zeros({groups}, values.options()).index_add(0, place, known * what).index_select(0, place);
    };
    return known * (summed(values) - values) / (summed(at::ones_like(values)) - 1).clamp_min(1);
  }
};

ATTUNE_PART(
    Objective, hypo, Hypo,
    .summary = "keeps an offline objective near the reference where the policy itself goes, by the KL of its samples",
    .formula = "l(c, r) + lambda E_{y ~ pi}[log pi(y) - log ref(y)], the expectation differentiated by scores",
    .paper =
        "Song et al. 2024, The Importance of Online Data: Understanding Preference Fine-tuning via Coverage, "
        "arXiv:2406.01462");

}  // namespace attune::objectives
