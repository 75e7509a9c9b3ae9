// `attune logps`: log-probabilities of each completion given its prompt.
#include "attune/base/errors.h"
#include "attune/base/threads.h"
#include "attune/cli/answer.h"
#include "attune/cli_torch/load.h"
#include "attune/cli_torch/verbs.h"
#include "attune/data/read.h"
#include "attune/policy/language.h"
#include "attune/policy/packing.h"
#include "attune/train/chat.h"
#include "attune/train/encode.h"

namespace attune {
namespace {

// Scores one bin and stores each completion's token log-probabilities at its place.
void score_bin(const std::vector<std::int64_t>& bin, const std::vector<TokenRecord>& records, LanguagePolicy& policy,
               std::vector<std::vector<std::vector<double>>>& logps) {
  Layout layout;
  for (const std::int64_t index : bin) {
    const TokenRecord& record = records[static_cast<std::size_t>(index)];
    const RecordView view = record.view(index);
    for (std::size_t i = 0; i < record.completions.size(); ++i) {
      layout.add(view, static_cast<std::int32_t>(i), ResponseRole::chosen);
    }
    layout.end_record();
  }
  const Batch batch = layout.take();
  const Responses responses = policy.score(batch, {});
  const Tensor values = responses.tokens.logps.to(at::kCPU, at::kDouble).contiguous();
  const Tensor owner = responses.tokens.response.to(at::kCPU).contiguous();
  for (std::int64_t i = 0; i < values.size(0); ++i) {
    const PlannedResponse& response = batch.responses[static_cast<std::size_t>(owner.data_ptr<std::int64_t>()[i])];
    logps[static_cast<std::size_t>(response.record)][static_cast<std::size_t>(response.completion)].push_back(
        values.data_ptr<double>()[i]);
  }
}

}  // namespace

int run_logps(Arguments& arguments) {
  const ModelChoice choice = model_choice(arguments);
  const std::string data = arguments.required("--data");
  const bool per_token = arguments.flag("--per-token");
  const std::int64_t tokens = arguments.integer("--batch-tokens", 4096);
  const std::int64_t max_tokens = arguments.integer("--max-tokens", 1 << 20);
  Answer answer(arguments.option("--out"));
  arguments.rest(0, 0, "no plain words");

  const ReadResult read = read_dataset({{.path = data}});
  const Tokenizer tokenizer = Tokenizer::load(choice.tokenizer);
  const EncodedData encoded = encode(read.dataset, tokenizer,
                                     {.max_tokens = max_tokens, .chat = chat_encoder(choice.chat_template, tokenizer)});
  log_report(encoded.report);
  LanguageModel model = load_choice(choice, tokenizer);
  const at::AutoGradMode no_gradient(false);
  LanguagePolicy policy(model, encoded.records);
  std::vector<std::vector<std::vector<double>>> logps;
  for (const auto& record : encoded.records) logps.emplace_back(record.completions.size());
  for (const auto& bin : bins_of(encoded.records, tokens)) score_bin(bin, encoded.records, policy, logps);
  for (std::size_t r = 0; r < logps.size(); ++r) {
    for (std::size_t c = 0; c < logps[r].size(); ++c) {
      double sum = 0;
      Json values = Json::array();
      for (const double value : logps[r][c]) {
        sum += value;
        values.push_back(value);
      }
      Json row = Json::object({{"record", record_address(encoded.records[r].id, encoded.records[r].row)},
                               {"completion", c},
                               {"logp", sum},
                               {"tokens", logps[r][c].size()}});
      if (per_token) row.set("logps", std::move(values));
      answer.row(row);
    }
  }
  answer.finish();
  return 0;
}

}  // namespace attune
