#include "attune/rewards/language_rewards.h"

#include <array>
#include <cmath>
#include <map>

#include "attune/base/errors.h"
#include "attune/policy/language.h"
#include "attune/policy/packing.h"

namespace attune {
namespace {

constexpr std::array all_follow_ups = {
    FollowUp{"understanding", true, "Yes, that is exactly what I was asking about."},
    FollowUp{"understanding", true, "You understood me perfectly."},
    FollowUp{"understanding", true, "Good, you saw what I meant."},
    FollowUp{"understanding", false, "That is not what I was asking about."},
    FollowUp{"understanding", false, "You misunderstood me."},
    FollowUp{"understanding", false, "No, I meant something else."},
    FollowUp{"relevance", true, "That is right to the point, thank you."},
    FollowUp{"relevance", true, "Thanks, all of this bears on my question."},
    FollowUp{"relevance", true, "This is just what matters here."},
    FollowUp{"relevance", false, "What has that to do with my question?"},
    FollowUp{"relevance", false, "You are changing the subject."},
    FollowUp{"relevance", false, "Most of this is beside the point."},
    FollowUp{"correctness", true, "I checked it, and you are right."},
    FollowUp{"correctness", true, "That is correct, thank you."},
    FollowUp{"correctness", true, "True, that agrees with what I know."},
    FollowUp{"correctness", false, "I checked it, and you are wrong."},
    FollowUp{"correctness", false, "That is not true."},
    FollowUp{"correctness", false, "There is a mistake in your answer."},
    FollowUp{"engagement", true, "How interesting! Tell me more."},
    FollowUp{"engagement", true, "I like talking with you about this."},
    FollowUp{"engagement", true, "That makes me want to know more."},
    FollowUp{"engagement", false, "This is boring."},
    FollowUp{"engagement", false, "I do not feel like going on with this."},
    FollowUp{"engagement", false, "You do not seem to care about what I say."},
    FollowUp{"information", true, "Thank you, I learned a lot from this."},
    FollowUp{"information", true, "That tells me all I wanted to know."},
    FollowUp{"information", true, "Thanks for the clear explanation."},
    FollowUp{"information", false, "That was vague and tells me nothing."},
    FollowUp{"information", false, "Can you be more specific?"},
    FollowUp{"information", false, "I still do not know what I wanted to know."},
    FollowUp{"instructions", true, "You did exactly what I asked for."},
    FollowUp{"instructions", true, "Perfect, just as I wanted it."},
    FollowUp{"instructions", true, "Thank you for keeping to my instructions."},
    FollowUp{"instructions", false, "That is not what I told you to do."},
    FollowUp{"instructions", false, "You left out part of what I asked for."},
    FollowUp{"instructions", false, "Please follow my instructions."},
};

Batch answers_of(const std::vector<std::int64_t>& bin, std::span<const TokenRecord> records) {
  Layout layout;
  for (const std::int64_t index : bin) {
    const TokenRecord& record = records[static_cast<std::size_t>(index)];
    for (std::size_t i = 0; i < record.completions.size(); ++i) {
      layout.add(record.view(index), static_cast<std::int32_t>(i), ResponseRole::ranked);
    }
    layout.end_record();
  }
  return layout.take();
}

}  // namespace

std::vector<std::vector<Likelihood>> likelihoods(LanguageModel& model, std::span<const TokenRecord> records,
                                                 std::int64_t tokens) {
  const at::AutoGradMode no_gradient(false);
  LanguagePolicy policy(model, records);
  std::vector<std::vector<Likelihood>> result(records.size());
  for (const auto& bin : bins_of(records, tokens)) {
    const Batch batch = answers_of(bin, records);
    const Tensor logps = policy.score(batch, {}).logps.to(at::kDouble).cpu().contiguous();
    for (std::size_t i = 0; i < batch.responses.size(); ++i) {
      const PlannedResponse& response = batch.responses[i];
      result[static_cast<std::size_t>(response.record)].push_back(
          {.logp = logps.const_data_ptr<double>()[i], .tokens = response.tokens});
    }
  }
  return result;
}

double yes_no_reward(const Likelihood& yes, const Likelihood& no, bool wanted) {
  const double odds = wanted ? yes.logp - no.logp : no.logp - yes.logp;
  return 1 / (1 + std::exp(-odds));
}

std::span<const FollowUp> follow_ups() { return all_follow_ups; }

double follow_up_reward(std::span<const FollowUp> texts, std::span<const Likelihood> said) {
  require(texts.size() == said.size() && !texts.empty(), "a likelihood for each follow-up");
  struct Sums {
    std::array<double, 2> sum = {}, count = {};
  };
  std::map<std::string_view, Sums> aspects;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    require(said[i].tokens > 0, "a follow-up without a token");
    Sums& aspect = aspects[texts[i].aspect];
    aspect.sum[texts[i].content ? 1 : 0] += said[i].logp / static_cast<double>(said[i].tokens);
    aspect.count[texts[i].content ? 1 : 0] += 1;
  }
  double reward = 0;
  for (const auto& [name, aspect] : aspects) {
    require(aspect.count[0] > 0 && aspect.count[1] > 0, "an aspect with follow-ups of one kind alone");
    reward += aspect.sum[1] / aspect.count[1] - aspect.sum[0] / aspect.count[0];
  }
  return reward / static_cast<double>(aspects.size());
}

}  // namespace attune
