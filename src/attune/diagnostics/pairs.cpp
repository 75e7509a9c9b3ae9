#include "attune/diagnostics/pairs.h"

#include <map>
#include <numeric>

#include "attune/base/errors.h"
#include "attune/base/log.h"
#include "attune/policy/language.h"
#include "attune/policy/packing.h"

namespace attune::diagnostics {
namespace {

// Votes for and against the first of a pair as first named.
struct Ballot {
  std::int32_t a = 0, b = 0;
  double for_a = 0, for_b = 0;
};

std::vector<Ballot> ballots_of(const TokenRecord& record) {
  std::vector<Ballot> ballots;
  std::map<std::pair<std::int32_t, std::int32_t>, std::size_t> known;
  for (const auto& preference : record.preferences) {
    const auto key = std::minmax(preference.chosen, preference.rejected);
    const auto [place, fresh] = known.try_emplace({key.first, key.second}, ballots.size());
    if (fresh) ballots.push_back({.a = preference.chosen, .b = preference.rejected});
    Ballot& ballot = ballots[place->second];
    const bool same = ballot.a == preference.chosen;
    const double right = preference.weight * preference.probability, wrong = preference.weight - right;
    ballot.for_a += same ? right : wrong;
    ballot.for_b += same ? wrong : right;
  }
  return ballots;
}

}  // namespace

std::vector<ComparedPair> compared_pairs(std::span<const TokenRecord> records) {
  std::vector<ComparedPair> pairs;
  for (std::size_t r = 0; r < records.size(); ++r) {
    for (const Ballot& ballot : ballots_of(records[r])) {
      const double votes = ballot.for_a + ballot.for_b;
      if (!(votes > 0)) continue;
      const bool swapped = ballot.for_b > ballot.for_a;
      pairs.push_back({.record = r,
                       .chosen = swapped ? ballot.b : ballot.a,
                       .rejected = swapped ? ballot.a : ballot.b,
                       .votes = votes,
                       .share = std::max(ballot.for_a, ballot.for_b) / votes});
    }
  }
  if (pairs.empty()) throw DataError({}, "no comparison of two answers", "data with a chosen and a rejected answer");
  return pairs;
}

void each_bin(const std::string& what, std::span<const TokenRecord> records, std::int64_t batch_tokens,
              const std::function<void(const Batch&)>& visit) {
  ProgressLine progress(what, records.size(), "records");
  std::size_t done = 0;
  for (const auto& bin : bins_of(records, batch_tokens)) {
    Layout layout;
    for (const std::int64_t index : bin) {
      const TokenRecord& record = records[static_cast<std::size_t>(index)];
      for (std::size_t i = 0; i < record.completions.size(); ++i) {
        layout.add(record.view(index), static_cast<std::int32_t>(i), ResponseRole::chosen);
      }
      layout.end_record();
    }
    visit(layout.take());
    done += bin.size();
    progress.advance(done);
  }
}

TokenLogps token_logps(LanguageModel& model, std::span<const TokenRecord> records, std::int64_t batch_tokens) {
  const at::NoGradGuard no_gradient;
  LanguagePolicy policy(model, records);
  TokenLogps logps;
  for (const TokenRecord& record : records) logps.emplace_back(record.completions.size());
  each_bin("score", records, batch_tokens, [&](const Batch& batch) {
    const TokenColumns tokens = policy.score(batch, {}).tokens;
    const Tensor values = tokens.logps.to(at::kCPU, at::kDouble).contiguous();
    const Tensor owner = tokens.response.cpu().contiguous();
    for (std::int64_t i = 0; i < values.size(0); ++i) {
      const auto at = static_cast<std::size_t>(owner.const_data_ptr<std::int64_t>()[i]);
      const PlannedResponse& response = batch.responses[at];
      logps[static_cast<std::size_t>(response.record)][static_cast<std::size_t>(response.completion)].push_back(
          values.const_data_ptr<double>()[i]);
    }
  });
  return logps;
}

std::vector<Sides> pair_logps(LanguageModel& model, std::span<const TokenRecord> records,
                              std::span<const ComparedPair> pairs, std::int64_t batch_tokens) {
  const TokenLogps logps = token_logps(model, records, batch_tokens);
  std::vector<Sides> result;
  for (const ComparedPair& pair : pairs) {
    const auto sum = [&](std::int32_t completion) {
      const auto& tokens = logps[pair.record][static_cast<std::size_t>(completion)];
      return std::accumulate(tokens.begin(), tokens.end(), 0.0);
    };
    result.push_back({sum(pair.chosen), sum(pair.rejected)});
  }
  return result;
}

std::vector<Sides> pair_lengths(std::span<const TokenRecord> records, std::span<const ComparedPair> pairs) {
  std::vector<Sides> result;
  for (const ComparedPair& pair : pairs) {
    const auto& tokens = records[pair.record].scored_tokens;
    result.push_back({static_cast<double>(tokens[static_cast<std::size_t>(pair.chosen)]),
                      static_cast<double>(tokens[static_cast<std::size_t>(pair.rejected)])});
  }
  return result;
}

Json address(const TokenRecord& record) { return record.id.empty() ? Json(record.row) : Json(record.id); }

Json pair_json(std::span<const TokenRecord> records, const ComparedPair& pair) {
  return Json::object(
      {{"record", address(records[pair.record])}, {"chosen", pair.chosen}, {"rejected", pair.rejected}});
}

}  // namespace attune::diagnostics
