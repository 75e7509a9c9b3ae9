// The model's own answers beside those that people judged: what D2O holds on to while it unlearns bad answers. Whoever
// learns from samples of the policy (hypo, spin, sppo once they are scored) finds them the same way: nobody has judged
// them.
#include <algorithm>
#include <utility>

#include "attune/base/errors.h"
#include "attune/curate/operator.h"

namespace attune::curate {
namespace {

// The nodes that answers follow, each once, in the order of the answers; of a record without any its last node.
std::vector<std::int32_t> prompts_of(const Record& record) {
  std::vector<std::int32_t> ends;
  for (const Completion& completion : record.completions) {
    if (std::find(ends.begin(), ends.end(), completion.after) == ends.end()) ends.push_back(completion.after);
  }
  if (record.completions.empty()) ends.push_back(static_cast<std::int32_t>(record.nodes.size()) - 1);
  return ends;
}

// The instruction goes into the system's message where a conversation starts with one.
void instruct(std::vector<Node>& nodes, const std::string& instruction) {
  if (instruction.empty()) return;
  Message& first = nodes.front().message;
  if (first.role == Role::plain) {
    first.content.insert(first.content.begin(), {.text = instruction + "\n\n"});
  } else if (first.role == Role::system || first.role == Role::developer) {
    first.content.push_back({.text = "\n\n" + instruction});
  } else {
    for (Node& node : nodes) ++node.parent;
    nodes.insert(nodes.begin(), {.parent = -1, .message = {.role = Role::system, .content = {{.text = instruction}}}});
  }
}

Record prompt_of(const Record& record, std::int32_t end, const std::string& instruction) {
  Record prompt{.id = record.id, .documents = record.documents, .tools_json = record.tools_json};
  for (const Message* message : path_to(record, end)) {
    prompt.nodes.push_back({.parent = static_cast<std::int32_t>(prompt.nodes.size()) - 1, .message = *message});
  }
  instruct(prompt.nodes, instruction);
  return prompt;
}

// Room for as many prompts a record as there is below the next record's numbers.
constexpr int record_bits = 40;

}  // namespace

class SelfSample final : public Operator {
  int k_ = 11;
  std::string instruction_ = {};
  WriterSettings settings_ = {};
  std::shared_ptr<const Writer> writer_ = {};

 public:
  void describe(Fields& fields) {
    fields("k", k_, "answers to each prompt").at_least(1);
    fields("instruction", instruction_,
           "what the model is told beforehand (as a system message, or before plain text), which the data never shows");
    settings_.describe(fields);
  }

  const WriterSettings* writer_settings() const override { return &settings_; }
  void take_writer(std::shared_ptr<const Writer> writer) override { writer_ = std::move(writer); }

  // Request r is for the answers behind node `end` of a record. The first prompt of the data's record i is drawn as
  // `attune generate` draws its prompt i.
  void apply(std::span<Record> records, const Stretch& stretch, Sink& sink) const override {
    require(writer_ != nullptr, "an operator without the model it asked for");
    std::vector<std::pair<std::size_t, std::int32_t>> places;
    std::vector<WriteRequest> requests;
    for (std::size_t i = 0; i < records.size(); ++i) {
      std::int64_t prompt = 0;
      for (const std::int32_t end : prompts_of(records[i])) {
        const std::int64_t id = stretch.first + static_cast<std::int64_t>(i) + (prompt++ << record_bits);
        if (!waits_for_answer(records[i], end, sink)) continue;
        places.emplace_back(i, end);
        requests.push_back(
            {.prompt = prompt_of(records[i], end, instruction_), .samples = k_, .seed = stretch.seed, .id = id});
      }
    }
    const auto written = writer_->write(requests);
    for (std::size_t r = 0; r < places.size(); ++r) add(records[places[r].first], places[r].second, written[r], sink);
    for (Record& record : records) sink.keep(std::move(record));
  }

  Json findings() const override { return Json::object({{"model_hash", writer_ ? writer_->model_hash() : ""}}); }

 private:
  static bool waits_for_answer(const Record& record, std::int32_t end, Sink& sink) {
    if (end < 0) {
      sink.count("skipped: no prompt");
    } else if (record.nodes[static_cast<std::size_t>(end)].message.role == Role::assistant) {
      sink.count("skipped: the conversation waits for no answer");
    } else {
      return true;
    }
    return false;
  }

  static void add(Record& record, std::int32_t end, const std::vector<Written>& answers, Sink& sink) {
    if (answers.empty()) sink.count("skipped: a prompt that is empty or leaves the model no room");
    const bool plain = record.nodes[static_cast<std::size_t>(end)].message.role == Role::plain;
    for (const Written& answer : answers) {
      if (answer.text.empty()) {
        sink.count("left out: an empty answer");
        continue;
      }
      if (!answer.whole) sink.count("answers cut at max_tokens");
      record.nodes.push_back(
          {.parent = end,
           .message = {.role = plain ? Role::plain : Role::assistant, .content = {{.text = answer.text}}}});
      record.completions.push_back({.after = end, .last = static_cast<std::int32_t>(record.nodes.size()) - 1});
      sink.count("answers");
    }
  }
};

ATTUNE_PART(Operator, synth_self_sample, SelfSample,
            .summary = "adds k answers that a model writes to each prompt, judged by nobody",
            .formula = "y_1, ..., y_k ~ pi(. | x)",
            .paper =
                "Duan et al. 2024, Negating Negatives: Alignment without Human Positive Samples via Distributional "
                "Dispreference Optimization, arXiv:2403.03419");

}  // namespace attune::curate
