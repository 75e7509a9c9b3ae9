// OpenAssistant conversation trees: a prompt with replies, each with replies of its own; siblings are ranked, 0 the
// best (Koepf et al. 2023, arXiv 2304.07327). Every answer of the assistant's is a completion; the ranked ones below
// one message are one ranking. What else is known of a message (its id, language, labels, rank) stays with it.
#include <map>

#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"message_tree_id", Shape::text}, {"tree_state", Shape::text}, {"prompt", Shape::object}};
constexpr int deepest = 200;  // replies within replies; real trees have less than 30

// The members of one message but for its replies.
void message_members(Entry& entry, Message& message) {
  std::string text = text_of(message);
  std::string role = message.role == Role::user ? "prompter" : "assistant";
  entry.text("text", text);
  entry.text("role", role);
  if (entry.reading()) {
    if (role != "prompter" && role != "assistant") entry.fail("role", "an unknown role", "prompter or assistant");
    message.role = role == "prompter" ? Role::user : Role::assistant;
    message.content.push_back({.text = std::move(text)});
    entry.in("replies");  // not part of the rest
  }
  entry.rest(message.extra_json);
}

void read_message(Entry& entry, std::int32_t parent, int depth, Draft& draft) {
  if (depth > deepest) return entry.fail("replies", "more than 200 replies within each other", "a flatter tree");
  Record& record = draft.filled();
  const auto index = static_cast<std::int32_t>(record.nodes.size());
  record.nodes.push_back({.parent = parent});
  Message message;
  message_members(entry, message);
  if (message.role == Role::assistant) record.completions.push_back({parent, index});
  record.nodes[static_cast<std::size_t>(index)].message = std::move(message);
  if (entry.in("replies") == nullptr) return;
  entry.list("replies", 0, [&](Entry& reply, std::size_t) { read_message(reply, index, depth + 1, draft); });
}

void write_message(Entry& entry, std::size_t index, int depth, Draft& draft) {
  if (depth > deepest) return draft.refuse();
  const Record& record = draft.record();
  Message message = record.nodes[index].message;
  if (message.role != Role::user && message.role != Role::assistant) return draft.refuse();
  message_members(entry, message);
  std::vector<std::size_t> replies;
  for (std::size_t i = index + 1; i < record.nodes.size(); ++i) {
    if (record.nodes[i].parent == static_cast<std::int32_t>(index)) replies.push_back(i);
  }
  entry.list("replies", replies.size(),
             [&](Entry& reply, std::size_t i) { write_message(reply, replies[i], depth + 1, draft); });
}

// One ranking for every message that has at least two ranked answers.
void rankings(Draft& draft) {
  const Record& record = draft.record();
  std::map<std::int32_t, std::map<double, std::vector<Target>>> ranked;
  for (std::size_t i = 0; i < record.completions.size(); ++i) {
    const Completion& completion = record.completions[i];
    const std::string& extra = record.nodes[static_cast<std::size_t>(completion.last)].message.extra_json;
    if (extra.empty()) continue;
    const Json members = Json::parse(extra);
    const Json* rank = members.find("rank");
    if (rank == nullptr || !rank->is_number()) continue;
    ranked[completion.after][rank->number()].push_back({.completion = static_cast<std::int32_t>(i)});
  }
  for (auto& [parent, tiers] : ranked) {
    if (tiers.size() < 2) continue;
    Ranking ranking;
    for (auto& [rank, targets] : tiers) ranking.tiers.push_back(std::move(targets));
    draft.filled().feedback.push_back({.what = std::move(ranking)});
  }
}

void map(Entry& row, Draft& draft) {
  draft.identity(row, "message_tree_id");
  if (draft.reading()) {
    row.object("prompt", [&](Entry& prompt) { read_message(prompt, -1, 0, draft); });
    if (!row.context().failed()) rankings(draft);
    return;
  }
  std::size_t roots = 0;
  for (const Node& node : draft.record().nodes) roots += node.parent < 0 ? 1 : 0;
  if (roots != 1) return draft.refuse();
  row.object("prompt", [&](Entry& prompt) { write_message(prompt, 0, 0, draft); });
}

class OasstTree final : public TwoWayFormat {
 public:
  OasstTree() : TwoWayFormat("oasst-tree", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, oasst_tree, OasstTree, .summary = "conversation trees with ranked replies (OpenAssistant)");

}  // namespace attune::formats
