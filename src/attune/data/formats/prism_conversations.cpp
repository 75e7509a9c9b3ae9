// PRISM, conversations: each turn has one message of a participant's and answers of several models, scored from 1 to
// 100; the conversation goes on below the chosen one (Kirk et al. 2024, arXiv 2404.16019). Scores are ratings; "chosen"
// is a label, and a comparison with every other answer of its turn, which is not written.
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {
    {"conversation_id", Shape::text}, {"user_id", Shape::text}, {"conversation_history", Shape::objects}};

// Where the next message goes.
struct Place {
  std::int32_t user = -1, chosen = -1;
  std::vector<std::int32_t> turn = {};  // completions below `user`
};

void judgements(Entry& item, std::int32_t completion, std::int32_t person, Draft& draft) {
  const Scale scale{.name = "prism", .low = 1, .high = 100};
  const Target on{.completion = completion};
  draft.rating(item, "score", {.attribute = "score", .on = on, .scale = scale, .annotator = person});
  draft.flag(item, "if_chosen", "chosen", on);
}

void read_message(Entry& item, std::int32_t person, Place& place, Draft& draft) {
  Record& record = draft.filled();
  std::string role;
  Message message;
  item.text("role", role);
  item.text("content", message.content.emplace_back().text);
  const auto index = static_cast<std::int32_t>(record.nodes.size());
  if (role == "user") {
    message.role = Role::user;
    item.rest(message.extra_json);
    record.nodes.push_back({.parent = place.chosen, .message = std::move(message)});
    place = {.user = index};
  } else if (role == "model" && place.user >= 0) {
    message.role = Role::assistant;
    item.optional_text("model_name", message.name);
    const auto completion = static_cast<std::int32_t>(record.completions.size());
    record.completions.push_back({place.user, index});
    record.nodes.push_back({.parent = place.user});
    judgements(item, completion, person, draft);
    item.rest(message.extra_json);
    record.nodes.back().message = std::move(message);
    const Json* chosen = item.in("if_chosen");
    if (chosen != nullptr && *chosen == Json(true)) place.chosen = index;
    place.turn.push_back(completion);
  } else {
    item.fail("role", role == "model" ? "a model's message before any of the user's" : "an unknown role",
              "user or model");
  }
}

// The chosen answer of a turn against its other answers.
void compare(const Place& place, std::int32_t person, Draft& draft) {
  Record& record = draft.filled();
  for (const std::int32_t better : place.turn) {
    if (record.completions[static_cast<std::size_t>(better)].last != place.chosen) continue;
    for (const std::int32_t worse : place.turn) {
      if (worse == better) continue;
      record.feedback.push_back(
          {.what = Comparison{{.completion = better}, {.completion = worse}, Outcome::a}, .annotator = person});
    }
  }
}

void write_message(Entry& item, const Node& node, std::int32_t& completion, Draft& draft) {
  Message message = node.message;
  const bool user = message.role == Role::user;
  std::string extra = std::move(message.extra_json), role = user ? "user" : "model";
  message.extra_json.clear();
  const auto text = only_text(message);
  if (!text || (!user && message.role != Role::assistant)) draft.refuse();
  std::string content = text.value_or("");
  item.text("role", role);
  item.text("content", content);
  if (!user) {
    item.optional_text("model_name", message.name);
    judgements(item, completion++, -1, draft);
  }
  item.rest(extra);
}

void map(Entry& row, Draft& draft) {
  draft.identity(row, "conversation_id");
  const std::int32_t person = draft.judge(row, "user_id");
  Place place;
  std::int32_t completion = 0;
  const auto& nodes = draft.record().nodes;
  row.list("conversation_history", nodes.size(), [&](Entry& item, std::size_t i) {
    if (!draft.reading()) return write_message(item, nodes[i], completion, draft);
    const Place before = place;
    read_message(item, person, place, draft);
    if (place.user != before.user) compare(before, person, draft);
  });
  if (draft.reading()) compare(place, person, draft);
  draft.critique(row, "open_feedback", {}, person);
}

class PrismConversations final : public TwoWayFormat {
 public:
  PrismConversations() : TwoWayFormat("prism-conversations", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, prism_conversations, PrismConversations,
            .summary = "turns with several models' scored answers, one of them chosen (PRISM, conversations)");

}  // namespace attune::formats
