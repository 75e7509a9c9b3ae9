// Label Studio's JSON export: a task with its data, every annotator's results and models' predictions
// (labelstud.io/guide/export). Pairwise results are comparisons, ratings and numbers ratings, choices labels, text
// areas critiques. What names a result (`from_name`, ids, times) travels with the feedback it became.
//
// Tasks hold whatever their project calls it: the prompt is the first of prompt, question, instruction and text, the
// answers are answer1 and answer2 or the other pairs below, or one answer, response, completion or output.
#include <cmath>

#include "attune/data/formats/two_way.h"
#include "attune/data/raw_json.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"data", Shape::object}, {"annotations", Shape::objects}};

constexpr std::string_view prompts[] = {"prompt", "question", "instruction", "text"};
constexpr std::string_view pairs_of_answers[][2] = {{"answer1", "answer2"},           {"answer_1", "answer_2"},
                                                    {"response1", "response2"},       {"response_1", "response_2"},
                                                    {"response_a", "response_b"},     {"answer_a", "answer_b"},
                                                    {"completion_a", "completion_b"}, {"text1", "text2"}};
constexpr std::string_view single_answers[] = {"answer", "response", "completion", "output"};

// The first of some names that the task has as a text; the first of all where it is being written.
template <class Names>
std::string_view first_of(Entry& data, const Names& names, const Draft& draft) {
  if (!draft.reading()) return names[0];
  for (const std::string_view name : names) {
    const Json* value = data.in(name);
    if (value != nullptr && value->is_string()) return name;
  }
  return {};
}

void task(Entry& data, Draft& draft) {
  const bool has_prompt = draft.reading() || !draft.prompt().empty();
  const std::string_view prompt = has_prompt ? first_of(data, prompts, draft) : std::string_view();
  if (!prompt.empty()) draft.question(data, prompt);
  if (!draft.reading()) {
    if (draft.answers() > 2) draft.refuse();
    if (draft.answers() == 1) draft.answer(data, single_answers[0]);
    for (std::size_t i = 0; i < 2 && draft.answers() == 2; ++i) draft.answer(data, pairs_of_answers[0][i]);
    return;
  }
  for (const auto& pair : pairs_of_answers) {
    const Json *a = data.in(pair[0]), *b = data.in(pair[1]);
    if (a == nullptr || b == nullptr || !a->is_string() || !b->is_string()) continue;
    for (const std::string_view name : pair) draft.answer(data, name);
    return;
  }
  const std::string_view single = first_of(data, single_answers, draft);
  if (!single.empty()) draft.answer(data, single);
}

// What a result is about: the one answer there is, or the record as a whole.
Target about(const Draft& draft) { return draft.answers() == 1 ? Target{.completion = 0} : Target{}; }

// What one result says; its number, as several when several choices were made.
std::vector<Judgement> judgements(const Json& value, const std::string& type, const std::string& name,
                                  std::size_t answers) {
  std::vector<Judgement> said;
  const Json* selected = value.find("selected");
  if (type == "pairwise" && answers == 2 && selected != nullptr) {
    Comparison comparison{.a = {.completion = 0}, .b = {.completion = 1}};
    if (*selected == Json("left")) comparison.outcome = Outcome::a;
    if (*selected == Json("right")) comparison.outcome = Outcome::b;
    said.emplace_back(comparison);
  }
  for (const char* key : {"rating", "number"}) {
    const Json* number = type == key ? value.find(key) : nullptr;
    if (number != nullptr && number->is_number()) said.emplace_back(Rating{name, number->number()});
  }
  const Json* texts = type == "choices" ? value.find("choices") : type == "textarea" ? value.find("text") : nullptr;
  for (std::size_t i = 0; texts != nullptr && texts->is_array() && i < texts->size(); ++i) {
    const Json& text = texts->items()[i];
    if (!text.is_string()) return {};
    if (type == "choices") said.emplace_back(Label{name, text.string()});
    if (type == "textarea") said.emplace_back(Critique{text.string()});
  }
  return said;
}

struct ResultForm {
  const char *type = "", *name = "", *value = "";  // `name`: what the control is called in records from elsewhere
};
ResultForm form_of(const Judgement& what) {
  if (std::holds_alternative<Comparison>(what)) return {"pairwise", "preference", "selected"};
  if (std::holds_alternative<Rating>(what)) return {"rating", "", "rating"};
  if (std::holds_alternative<Label>(what)) return {"choices", "", "choices"};
  if (std::holds_alternative<Critique>(what)) return {"textarea", "comment", "text"};
  return {};
}

std::string name_of(const Judgement& what) {
  if (const auto* rating = std::get_if<Rating>(&what)) return rating->attribute;
  if (const auto* label = std::get_if<Label>(&what)) return label->name;
  return form_of(what).name;
}

// What names a result in tasks that were never in Label Studio.
Json usual_names(const Judgement& what) {
  const bool pair = std::holds_alternative<Comparison>(what);
  return Json::object(
      {{"from_name", name_of(what)}, {"to_name", pair ? "answer1,answer2" : "answer"}, {"type", form_of(what).type}});
}

// One result as feedback: what it says, and in the first one's extra_json everything else of the result unless that is
// only the usual names.
std::vector<Feedback> read_result(Entry& result, const Draft& draft) {
  std::string type, name;
  result.text("type", type);
  result.text("from_name", name);
  Json value = Json::object();
  if (const Json* given = result.in("value")) value = *given;
  std::string rest;
  result.rest(rest);
  Json extra = Json::object({{"from_name", name}});
  if (!rest.empty()) {
    const Json others = Json::parse(rest);
    for (const auto& [key, member] : others.members()) extra.set(key, member);
  }
  extra.set("type", type);
  std::vector<Feedback> feedback;
  for (Judgement& said : judgements(value, type, name, draft.answers())) {
    Feedback& one = feedback.emplace_back();
    const bool compares = std::holds_alternative<Comparison>(said);
    if (feedback.size() == 1 && extra != usual_names(said)) one.extra_json = extra.str();
    one.what = std::move(said);
    if (!compares) one.on = about(draft);
  }
  return feedback;
}

std::string annotator_id(const Json& who) {
  if (who.is_object()) {
    const Json* name = who.find("email") != nullptr ? who.find("email") : who.find("id");
    return name == nullptr ? "" : annotator_id(*name);
  }
  return who.is_string() ? who.string() : who.is_integer() ? who.str() : "";
}

// The results of an annotation or a prediction. What else it holds goes to the first feedback, as member `of`.
void read_results(Entry& item, Annotator::Kind kind, Draft& draft) {
  const Json* who = item.in(kind == Annotator::model ? "model_version" : "completed_by");
  const std::string id = who == nullptr ? "" : annotator_id(*who);
  const Json* cancelled = item.whole().find("was_cancelled");
  std::vector<Feedback> feedback;
  item.list("result", 0, [&](Entry& result, std::size_t) {
    for (Feedback& one : read_result(result, draft)) feedback.push_back(std::move(one));
  });
  if (kind == Annotator::human && !feedback.empty()) item.real("lead_time", feedback.front().seconds);
  if (feedback.empty() || (cancelled != nullptr && *cancelled == Json(true))) return;
  std::string rest;
  item.rest(rest);
  if (who != nullptr && who->is_object()) {  // more than a name
    rest = RawObject().add_all(rest).add("completed_by", who->str()).str();
  }
  if (!rest.empty()) {
    feedback.front().extra_json = RawObject().add_all(feedback.front().extra_json).add("of", rest).str();
  }
  const std::int32_t annotator = id.empty() ? -1 : draft.annotator({.kind = kind, .id = id});
  for (Feedback& one : feedback) {
    one.annotator = annotator;
    draft.filled().feedback.push_back(std::move(one));
  }
}

// Choices and texts that follow their result without an own one belong to it.
Json value_of(const std::vector<const Feedback*>& said, const std::string& type, Draft& draft) {
  Json list = Json::array();
  for (const Feedback* one : said) {
    if (const auto* comparison = std::get_if<Comparison>(&one->what)) {
      const bool usual = comparison->a == Target{.completion = 0} && comparison->b == Target{.completion = 1};
      const bool decided = comparison->outcome == Outcome::a || comparison->outcome == Outcome::b;
      if (!usual || !(decided || comparison->outcome == Outcome::tie)) draft.refuse();
      return Json::object(
          {{"selected", !decided ? Json() : Json(comparison->outcome == Outcome::a ? "left" : "right")}});
    }
    if (const auto* rating = std::get_if<Rating>(&one->what)) {
      const bool whole = std::trunc(rating->value) == rating->value && std::abs(rating->value) < 9e15;
      return Json::object({{type, whole ? Json(static_cast<std::int64_t>(rating->value)) : Json(rating->value)}});
    }
    if (const auto* label = std::get_if<Label>(&one->what)) list.push_back(label->value);
    if (const auto* critique = std::get_if<Critique>(&one->what)) list.push_back(critique->text);
  }
  return Json::object({{form_of(said.front()->what).value, std::move(list)}});
}

Json result_json(const std::vector<const Feedback*>& said, Draft& draft) {
  const Feedback& first = *said.front();
  const ResultForm form = form_of(first.what);
  if (*form.type == 0) draft.refuse();
  const Json extra = first.extra_json.empty() ? Json::object() : Json::parse(first.extra_json);
  const Json* type = extra.find("type");
  const std::string kind = type != nullptr && type->is_string() ? type->string() : form.type;
  Json result = Json::object({{"value", value_of(said, kind, draft)}});
  for (const auto& [key, value] : extra.members()) {
    if (key != "of") result.set(key, value);
  }
  if (extra.find("from_name") == nullptr) {
    const Json names = usual_names(first.what);
    for (const auto& [key, value] : names.members()) result.set(key, value);
  }
  return result;
}

// All feedback of one annotation, and the results that it makes.
struct Group {
  const Feedback* first = nullptr;
  Json results = Json::array();
};

std::vector<Group> groups_of(Annotator::Kind kind, Draft& draft) {
  std::vector<Group> groups;
  std::vector<const Feedback*> said;
  const auto end_result = [&] {
    if (!said.empty()) groups.back().results.push_back(result_json(said, draft));
    said.clear();
  };
  for (const Feedback& one : draft.record().feedback) {
    const Annotator* who = draft.annotator_at(one.annotator);
    if ((who != nullptr && who->kind == Annotator::model) != (kind == Annotator::model)) continue;
    const Json extra = one.extra_json.empty() ? Json::object() : Json::parse(one.extra_json);
    const bool starts_annotation =
        groups.empty() || extra.find("of") != nullptr || groups.back().first->annotator != one.annotator;
    const bool listed = std::holds_alternative<Label>(one.what) || std::holds_alternative<Critique>(one.what);
    const bool continues = !starts_annotation && listed && extra.size() == 0 && !said.empty() &&
                           name_of(said.front()->what) == name_of(one.what) &&
                           said.front()->what.index() == one.what.index();
    if (!continues && !groups.empty()) end_result();
    if (starts_annotation) groups.push_back({.first = &one});
    said.push_back(&one);
  }
  if (!groups.empty()) end_result();
  return groups;
}

void write_results(Entry& item, const Group& group, Annotator::Kind kind, Draft& draft) {
  const Annotator* who = draft.annotator_at(group.first->annotator);
  const Json extra = group.first->extra_json.empty() ? Json::object() : Json::parse(group.first->extra_json);
  const Json* of = extra.find("of");
  const bool named = of != nullptr && of->find("completed_by") != nullptr;
  if (who != nullptr && !named) {
    const bool number = !who->id.empty() && who->id.size() < 10 && who->id[0] != '0' &&
                        who->id.find_first_not_of("0123456789") == std::string::npos;
    const char* key = kind == Annotator::model ? "model_version" : "completed_by";
    item.out(key, number && kind == Annotator::human ? Json(std::int64_t{std::stoll(who->id)}) : Json(who->id));
  }
  item.out("result", group.results);
  if (group.first->seconds) item.out("lead_time", *group.first->seconds);
  std::string rest = of == nullptr || of->size() == 0 ? "" : of->str();
  item.rest(rest);
}

void results(Entry& row, std::string_view key, Annotator::Kind kind, Draft& draft) {
  if (draft.reading()) {
    if (kind == Annotator::model && row.in(key) == nullptr) return;
    return row.list(key, 0, [&](Entry& item, std::size_t) { read_results(item, kind, draft); });
  }
  const std::vector<Group> groups = groups_of(kind, draft);
  if (groups.empty() && kind == Annotator::model) return;
  row.list(key, groups.size(), [&](Entry& item, std::size_t i) { write_results(item, groups[i], kind, draft); });
}

void map(Entry& row, Draft& draft) {
  row.object("data", [&](Entry& data) { task(data, draft); });
  results(row, "annotations", Annotator::human, draft);
  results(row, "predictions", Annotator::model, draft);
}

class LabelStudio final : public TwoWayFormat {
 public:
  LabelStudio() : TwoWayFormat("label-studio", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, label_studio, LabelStudio,
            .summary = "tasks with every annotator's results and models' predictions (Label Studio, JSON export)");

}  // namespace attune::formats
