// Argilla's records (the JSON of version 2): fields, every user's responses and models' suggestions by question
// (docs.argilla.io). A number is a rating, a list of {value, rank} a ranking of fields, a list of texts labels, the
// name of one of two answers' fields a comparison, another text without blanks a label and one with blanks a critique.
//
// Fields hold whatever their data set calls it: the prompt is the first of prompt, instruction, question and text;
// every field whose name begins with response, answer, completion or generation is an answer.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"fields", Shape::object}, {"responses", Shape::object}, {"suggestions", Shape::object}};

constexpr std::string_view prompts[] = {"prompt", "instruction", "question", "text"};
constexpr std::string_view answers[] = {"response", "answer", "completion", "generation"};

// The names of the fields that became answers, in order.
using Names = std::vector<std::string>;

Names read_fields(const Json& fields, Entry& entry, Draft& draft) {
  for (const std::string_view name : prompts) {
    const Json* value = fields.find(name);
    if (value == nullptr || (!value->is_string() && !value->is_array())) continue;
    value->is_string() ? draft.question(entry, name) : draft.conversation(entry, name);
    break;
  }
  Names names;
  for (const auto& [key, value] : fields.members()) {
    const bool answer = std::any_of(std::begin(answers), std::end(answers),
                                    [&](std::string_view start) { return key.starts_with(start); });
    if (!answer || !value.is_string()) continue;
    draft.answer(entry, key);
    names.push_back(key);
  }
  return names;
}

Names write_fields(Entry& entry, Draft& draft) {
  const auto prompt = draft.prompt();
  if (prompt.size() == 1 && only_text(*prompt[0])) {
    draft.question(entry, prompts[0]);
  } else if (!prompt.empty()) {
    draft.conversation(entry, prompts[0]);
  }
  Names names;
  for (std::size_t i = 0; i < draft.answers(); ++i) {
    names.push_back(draft.answers() == 1 ? "response" : "response" + std::to_string(i + 1));
    draft.answer(entry, names.back());
  }
  return names;
}

std::int32_t answer_named(const Names& names, const Json* name) {
  if (name == nullptr || !name->is_string()) return -1;
  const auto found = std::find(names.begin(), names.end(), name->string());
  return found == names.end() ? -1 : static_cast<std::int32_t>(found - names.begin());
}

std::optional<Ranking> read_ranking(const Json& value, const Names& names) {
  std::map<std::int64_t, std::vector<Target>> tiers;
  for (const Json& item : value.items()) {
    const std::int32_t answer = answer_named(names, item.find("value"));
    const Json* rank = item.find("rank");
    if (answer < 0 || rank == nullptr || !rank->is_integer()) return std::nullopt;
    tiers[rank->integer()].push_back({.completion = answer});
  }
  Ranking ranking;
  for (auto& [rank, tier] : tiers) ranking.tiers.push_back(std::move(tier));
  return ranking;
}

// What an answer to a question says; empty for forms that nothing here knows (spans), which travel unparsed.
std::vector<Judgement> read_value(const Json& value, const std::string& question, const Names& names) {
  if (value.is_number()) return {Rating{question, value.number()}};
  if (value.is_string()) {
    const std::int32_t answer = names.size() == 2 ? answer_named(names, &value) : -1;
    if (answer >= 0) {
      return {Comparison{{.completion = 0}, {.completion = 1}, answer == 0 ? Outcome::a : Outcome::b}};
    }
    const bool words = value.string().find_first_of(" \t\r\n") != std::string::npos;
    if (words) return {Critique{value.string()}};
    return {Label{question, value.string()}};
  }
  std::vector<Judgement> said;
  if (!value.is_array() || value.size() == 0) return said;
  if (value.items()[0].is_object()) {
    if (auto ranking = read_ranking(value, names)) said.emplace_back(*std::move(ranking));
    return said;
  }
  for (const Json& item : value.items()) {
    if (!item.is_string()) return {};
    said.emplace_back(Label{question, item.string()});
  }
  return said;
}

// What a question is called in records that were never in Argilla.
std::string usual_question(const Judgement& what) {
  if (const auto* rating = std::get_if<Rating>(&what)) return rating->attribute;
  if (const auto* label = std::get_if<Label>(&what)) return label->name;
  if (std::holds_alternative<Comparison>(what)) return "preference";
  return std::holds_alternative<Ranking>(what) ? "ranking" : "comment";
}

// Feedback of one response or suggestion; the first carries the question where it has another name than usual, whether
// the value was a list, and what else the response held.
void add(const Json& response, const std::string& question, const Names& names, bool suggested, Draft& draft) {
  const Json* value = response.find("value");
  const char* key = suggested ? "agent" : "user_id";
  const Json* who = response.find(key);
  if (value == nullptr) return;
  const bool known = who != nullptr && who->is_string() && !who->string().empty();
  const std::int32_t annotator =
      known ? draft.annotator({.kind = suggested ? Annotator::model : Annotator::human, .id = who->string()}) : -1;
  Json of = Json::object();
  for (const auto& [name, member] : response.members()) {
    if (name != "value" && !(known && name == key)) of.set(name, member);
  }
  Json extra = Json::object();
  if (suggested && !known) extra.set("suggested", true);
  if (value->is_array() && value->items().size() > 0 && value->items()[0].is_string()) extra.set("list", true);
  if (of.size() > 0) extra.set("of", std::move(of));
  bool first = true;
  for (Judgement& said : read_value(*value, question, names)) {
    Feedback feedback{.annotator = annotator};
    const bool about = std::holds_alternative<Comparison>(said) || std::holds_alternative<Ranking>(said);
    if (std::exchange(first, false)) {
      if (usual_question(said) != question) extra.set("question", question);
      if (extra.size() > 0) feedback.extra_json = extra.str();
    }
    feedback.what = std::move(said);
    if (!about && names.size() == 1) feedback.on = {.completion = 0};
    draft.filled().feedback.push_back(std::move(feedback));
  }
}

std::string question_of(const Feedback& feedback, const Json& extra) {
  const Json* question = extra.find("question");
  return question != nullptr && question->is_string() ? question->string() : usual_question(feedback.what);
}

Json ranking_json(const Ranking& ranking, const Names& names, Draft& draft) {
  Json list = Json::array();
  std::int64_t rank = 0;
  for (const auto& tier : ranking.tiers) {
    ++rank;
    for (const Target& target : tier) {
      if (target.completion < 0) {
        draft.refuse();
      } else {
        list.push_back(Json::object({{"value", names[static_cast<std::size_t>(target.completion)]}, {"rank", rank}}));
      }
    }
  }
  return list;
}

Json value_json(const Feedback& feedback, const Names& names, Draft& draft) {
  if (const auto* rating = std::get_if<Rating>(&feedback.what)) {
    const bool whole = std::trunc(rating->value) == rating->value && std::abs(rating->value) < 9e15;
    return whole ? Json(static_cast<std::int64_t>(rating->value)) : Json(rating->value);
  }
  if (const auto* label = std::get_if<Label>(&feedback.what)) return label->value;
  if (const auto* critique = std::get_if<Critique>(&feedback.what)) return critique->text;
  if (const auto* ranking = std::get_if<Ranking>(&feedback.what)) return ranking_json(*ranking, names, draft);
  const auto* comparison = std::get_if<Comparison>(&feedback.what);
  const bool usual = comparison != nullptr && names.size() == 2 && comparison->a == Target{.completion = 0} &&
                     comparison->b == Target{.completion = 1};
  if (!usual || (comparison->outcome != Outcome::a && comparison->outcome != Outcome::b)) {
    draft.refuse();
    return {};
  }
  return names[comparison->outcome == Outcome::a ? 0 : 1];
}

// Responses or suggestions by question, as they were read. A label that follows a list without an own head is its next
// item.
Json write_opinions(bool suggested, const Names& names, Draft& draft) {
  Json questions = Json::object();
  Json* open = nullptr;  // the list that further labels go to
  for (const Feedback& feedback : draft.record().feedback) {
    const Json extra = feedback.extra_json.empty() ? Json::object() : Json::parse(feedback.extra_json);
    if (extra.size() == 0 && open != nullptr && std::holds_alternative<Label>(feedback.what)) {
      open->push_back(value_json(feedback, names, draft));
      continue;
    }
    open = nullptr;
    const Annotator* who = draft.annotator_at(feedback.annotator);
    const bool model = extra.find("suggested") != nullptr || (who != nullptr && who->kind == Annotator::model);
    if (model != suggested) continue;
    const bool list = extra.find("list") != nullptr;
    Json value = value_json(feedback, names, draft);
    Json response = Json::object({{"value", list ? Json(Json::Array{value}) : value}});
    if (who != nullptr) response.set(suggested ? "agent" : "user_id", who->id);
    if (const Json* of = extra.find("of"); of != nullptr && of->is_object()) {
      for (const auto& [key, member] : of->members()) response.set(key, member);
    }
    const std::string question = question_of(feedback, extra);
    if (questions.find(question) == nullptr) questions.set(question, suggested ? Json() : Json::array());
    Json& place = std::find_if(questions.members().begin(), questions.members().end(), [&](const auto& member) {
                    return member.first == question;
                  })->second;
    if (suggested) {
      if (!place.is_null()) draft.refuse();  // one suggestion a question
      place = std::move(response);
    } else {
      place.push_back(std::move(response));
    }
    if (!list) continue;
    Json& kept = suggested ? place : place.items().back();
    open = &kept.members().front().second;
  }
  return questions;
}

void read_opinions(Entry& row, const Names& names, Draft& draft) {
  if (const Json* responses = row.in("responses")) {
    for (const auto& [question, list] : responses->members()) {
      if (!list.is_array()) return row.fail_type("responses." + question, list, "a list of responses");
      for (const Json& response : list.items()) {
        if (!response.is_object()) return row.fail_type("responses." + question, response, "an object");
        add(response, question, names, false, draft);
      }
    }
  }
  const Json* suggestions = row.in("suggestions");
  for (std::size_t i = 0; suggestions != nullptr && i < suggestions->size(); ++i) {
    const auto& [question, suggestion] = suggestions->members()[i];
    if (!suggestion.is_object()) return row.fail_type("suggestions." + question, suggestion, "an object");
    add(suggestion, question, names, true, draft);
  }
}

void map(Entry& row, Draft& draft) {
  Names names;
  row.object("fields", [&](Entry& fields) {
    names = draft.reading() ? read_fields(fields.whole(), fields, draft) : write_fields(fields, draft);
  });
  if (draft.reading()) return read_opinions(row, names, draft);
  row.out("suggestions", write_opinions(true, names, draft));
  row.out("responses", write_opinions(false, names, draft));
}

class Argilla final : public TwoWayFormat {
 public:
  Argilla() : TwoWayFormat("argilla", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, argilla, Argilla,
            .summary = "records with every user's responses and models' suggestions (Argilla)");

}  // namespace attune::formats
