// What a policy answers about one micro-batch, and what an objective sees: numbers per response, indices of pairs and
// groups. No objective ever sees how tokens were laid out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

enum class ResponseRole {
  chosen,            // an answer to learn: the preferred of a pair, a demonstration, a thumb up
  rejected,          // the other of a pair, a thumb down
  self_sample,       // sampled from the policy
  rationale,         // the written reason for a preference
  kl_probe,          // an answer paired with another record's prompt, for a KL estimate (KTO)
  reference_answer,  // a gold answer beside a pair (TPO)
  ranked,            // one of a list of scored answers
  sequence,          // prompt and chosen answer as one text to learn (ORPO)
  variant,           // an answer of known degree of corruption (SPO)
};
inline constexpr std::size_t role_count = 9;
std::string_view name(ResponseRole role);

// A set of roles; one role is the set of itself, so that `chosen` and `chosen | rejected` are both sets.
class Roles {
 public:
  constexpr Roles() = default;
  constexpr Roles(ResponseRole role) : bits_(1U << static_cast<unsigned>(role)) {}
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool has(ResponseRole role) const { return (bits_ & Roles(role).bits_) != 0; }
  friend constexpr Roles operator|(Roles a, Roles b);
  constexpr Roles without(ResponseRole role) const {
    Roles rest = *this;
    rest.bits_ &= ~Roles(role).bits_;
    return rest;
  }
  static constexpr Roles all() {
    Roles every;
    every.bits_ = (1U << role_count) - 1;
    return every;
  }

 private:
  unsigned bits_ = 0;
};
constexpr Roles operator|(Roles a, Roles b) {
  a.bits_ |= b.bits_;
  return a;
}
constexpr Roles operator|(ResponseRole a, ResponseRole b) { return Roles(a) | Roles(b); }

// A frozen model's view of the same responses.
struct ModelColumns {
  Tensor logps = {};        // [R], nats, summed over scored tokens
  Tensor token_logps = {};  // [N], only where Needs::tokens
};

// What one person may say of a pair. Whoever prefers an answer without saying by how much is counted apart.
enum class PairVote { rejected_clearly, rejected_slightly, tie, chosen_slightly, chosen_clearly, rejected, chosen };
inline constexpr std::size_t vote_kinds = 7;

// Indices into the responses, [P] each; the rest [P] doubles, 0 / 1 / 1 where the data says nothing.
struct Pairs {
  Tensor chosen, rejected;
  Tensor margin = {};  // how much better the chosen one is, in the data's own units
  Tensor weight = {};
  Tensor probability = {};  // that the chosen one is preferred (soft labels from votes); 1: a hard label
  Tensor votes = {};        // [P, vote_kinds], how many people said what; 0 everywhere where nobody counted
  std::int64_t size() const { return chosen.defined() ? chosen.size(0) : 0; }
};

// Responses that answer one prompt, for list-wise losses and group baselines.
struct Groups {
  Tensor index = {};  // [R], which group a response belongs to; -1: none
  std::int64_t count = 0;
};

// Per scored token of all responses, in order of responses.
struct TokenColumns {
  Tensor logps = {};                              // [N]
  Tensor response = {};                           // [N], index of the response
  Tensor span = {};                               // [N], turn, step or group the token belongs to
  Tensor activation = {};                         // [N], mean size of the frozen reference's states; where asked for
  std::map<std::string, Tensor> vocabulary = {};  // [N] or [N, m] each, by the name of the vocabulary term
};

// Which completion a response is: what random draws for it are indexed by, so that batching changes none.
struct ResponseKey {
  std::int64_t record = 0, completion = 0;
};

struct Responses {
  Tensor logps = {};    // [R], nats, summed over scored tokens; gradients flow through these (and tokens, heads) only
  Tensor lengths = {};  // [R], number of scored tokens
  std::map<std::string, ModelColumns> models = {};
  Tensor behaviour_logps = {};  // [R], of the sampler that wrote the response, NaN where nobody knows
  Tensor old_logps = {};        // [R], of the policy when the update began; undefined for data
  Tensor scores = {};           // [R], the data's score, NaN where it has none
  Tensor weights = {};          // [R], of the feedback on the response, 1 where it says nothing
  Tensor levels = {};           // [R] int64, how much was taken out of the answer; -1: no such variant
  std::vector<ResponseRole> roles = {};
  std::vector<ResponseKey> keys = {};
  Pairs pairs;
  Groups groups;
  TokenColumns tokens;
  std::map<std::string, Tensor> heads = {};  // [R, outputs], or [N, outputs] of heads at scored tokens
  Tensor outputs = {};  // [R, outputs] of the score head, with gradient; of reward models, where logps is undefined
  Tensor states = {};   // [R, d], what the score head reads, with gradient
  Tensor labels = {};   // [R, columns] in order of Needs::labels, NaN where nobody said anything

  std::int64_t size() const { return static_cast<std::int64_t>(roles.size()); }
  // Throws InternalError when the objective did not ask for that model in its needs.
  const ModelColumns& model(std::string_view role) const;
  Tensor indices_of(ResponseRole role) const;  // [k] int64
};

}  // namespace attune
