// How often a judge votes as people do, question by question and turn by turn.
#include <map>

#include "attune/base/errors.h"
#include "attune/evals/eval.h"
#include "attune/statistics/answers.h"

namespace attune::evals {
namespace {

enum class Vote { a, b, tie, unread };

// One vote on two models' answers; the models in alphabetical order, so that both ways round are the same pair.
struct PairVote {
  std::string pair = {}, question = {}, turn = {};
  Vote vote = Vote::tie;
};

Vote exchanged(Vote vote) { return vote == Vote::a ? Vote::b : vote == Vote::b ? Vote::a : vote; }

struct Agreement {
  Share with_ties = {}, without_ties = {};
  void add(Vote first, Vote second) {
    with_ties.add(first == second);
    if (first != Vote::tie && second != Vote::tie) without_ties.add(first == second);
  }
  Json json() const {
    return Json::object({{"with_ties", share_json(with_ties)}, {"without_ties", share_json(without_ties)}});
  }
};

class MtBenchAgreement final : public Eval {
  bool ties_ = false;

  static Vote vote_of(const EvidenceRow& row, const std::string& column, const std::string& a, const std::string& b) {
    const std::string word = text_in(row, column);
    if (word == a || word == "model_a" || word == "model_1") return Vote::a;
    if (word == b || word == "model_b" || word == "model_2") return Vote::b;
    if (word.starts_with("tie")) return Vote::tie;
    if (word == "error") return Vote::unread;
    refuse_cell(row, column, "a winner that is neither", "one of both models, or a tie");
  }

  // People: model_a, model_b, winner. A judge in both orders: model_1, model_2, g1_winner, g2_winner, where two
  // different verdicts are a tie.
  static PairVote read(const EvidenceRow& row) {
    const bool both = row.value.find("g1_winner") != nullptr;
    const std::string a = text_in(row, both ? "model_1" : "model_a"), b = text_in(row, both ? "model_2" : "model_b");
    PairVote result{.question = text_in(row, "question_id")};
    if (row.value.find("turn") != nullptr) result.turn = text_in(row, "turn");
    result.vote = vote_of(row, both ? "g1_winner" : "winner", a, b);
    if (both && vote_of(row, "g2_winner", a, b) != result.vote) {
      const bool unread = result.vote == Vote::unread || vote_of(row, "g2_winner", a, b) == Vote::unread;
      result.vote = unread ? Vote::unread : Vote::tie;
    }
    if (b < a) result.vote = exchanged(result.vote);
    result.pair = a < b ? a + " / " + b : b + " / " + a;
    return result;
  }

  using Votes = std::map<std::string, std::vector<Vote>>;  // by question, turn and pair

  static Votes votes_of(const Evidence& evidence, const char* whose, EvalResult& result) {
    Votes votes;
    for (const EvidenceRow& row : evidence.rows()) {
      const PairVote one = read(row);
      if (one.vote == Vote::unread) {
        result.leave_out(std::string(whose) + " votes that could not be read", std::to_string(row.line));
      } else {
        votes[one.turn + '\n' + one.question + '\n' + one.pair].push_back(one.vote);
      }
    }
    return votes;
  }

 public:
  void describe(Fields& fields) {
    fields("ties", ties_,
           "count ties as an answer of their own (setup S1); otherwise pairs with a tie are left out (S2)");
  }

  EvalResult run(const EvalInput& input) const override {
    if (input.verdicts.empty()) throw UsageError({}, "no --verdicts", "a file of a judge's verdicts on the same pairs");
    EvalResult result{.title = "Agreement of the judge with people"};
    const Votes people = votes_of(input.data, "people's", result);
    const Votes judge = votes_of(Evidence(input.verdicts), "the judge's", result);
    Agreement judged, among;
    std::map<std::string, Agreement> by_turn;
    std::size_t shared = 0;
    for (const auto& [key, votes] : people) {
      for (std::size_t i = 0; i < votes.size(); ++i) {
        for (std::size_t j = i + 1; j < votes.size(); ++j) among.add(votes[i], votes[j]);
      }
      const auto own = judge.find(key);
      if (own == judge.end()) {
        result.leave_out("pairs that the judge did not see",
                         key.substr(key.find('\n') + 1, key.rfind('\n') - key.find('\n') - 1));
        continue;
      }
      ++shared;
      for (const Vote vote : votes) {
        for (const Vote said : own->second) {
          judged.add(vote, said);
          by_turn[key.substr(0, key.find('\n'))].add(vote, said);
        }
      }
    }
    for (const auto& [key, votes] : judge) {
      if (!people.contains(key)) {
        result.leave_out("pairs that nobody else voted on",
                         key.substr(key.find('\n') + 1, key.rfind('\n') - key.find('\n') - 1));
      }
    }
    if (shared == 0) input.data.refuse("no pair of which both people and the judge said something", "at least one");
    const Share& score = ties_ ? judged.with_ties : judged.without_ties;
    if (score.trials == 0) input.data.refuse("no vote without a tie", "votes for a side", "count ties: ties=true");
    result.score = 100 * score.value();
    result.interval = {100 * score.interval().low, 100 * score.interval().high};
    result.n = static_cast<std::size_t>(score.trials);
    result.parts =
        Json::object({{"judge_and_people", judged.json()}, {"among_people", among.json()}, {"pairs", shared}});
    for (const auto& [turn, agreement] : by_turn) {
      if (!turn.empty()) result.parts.set("turn " + turn, agreement.json());
    }
    return result;
  }
};

}  // namespace

ATTUNE_PART(Eval, mt_bench_agreement, MtBenchAgreement,
            .summary = "how often a judge votes as people do, and people among themselves (MT-bench)",
            .formula =
                "#{equal votes} / #{pairs of votes on the same question, turn and models}; two orders that "
                "disagree are a tie; S2 leaves ties out",
            .paper = "Zheng et al. 2023, Judging LLM-as-a-judge, arXiv 2306.05685");

}  // namespace attune::evals
