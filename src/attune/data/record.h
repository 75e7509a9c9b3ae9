// Record: one preference record without loss, whatever format it came from. The shape everything else reads.
//
// A record is a tree of messages (nodes), the stretches of it that were produced as answers (completions), and all that
// anybody said about them (feedback). Several people's feedback stays several: nothing here collapses annotators.
// Indices are int32_t and -1 means "none". validate.h says which indices and values are legal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace attune {

struct Media {  // the bytes stay outside
  std::string uri = {}, type = {}, sha256 = {};
  bool operator==(const Media&) const = default;
};

struct Content {
  enum class Kind { text, thinking, image, audio, video, document, tool_result } kind = Kind::text;
  std::string text = {};
  Media media = {};
  bool operator==(const Content&) const = default;
};

struct ToolCall {
  std::string id = {}, name = {};
  std::string arguments_json = {};  // as written, unparsed
  bool operator==(const ToolCall&) const = default;
};

// `plain` marks text outside of any conversation (TRL's "standard" form): no chat template applies to it.
enum class Role { plain, system, developer, user, assistant, tool };
std::string_view name(Role role);
std::optional<Role> role_named(std::string_view text);

struct Message {
  Role role = Role::plain;
  std::string name = {};  // of the speaker, where given
  std::vector<Content> content = {};
  std::vector<ToolCall> calls = {};
  std::string answers_call = {};   // role tool: the id of the call
  std::optional<bool> train = {};  // unset: the recipe decides
  bool content_as_list = false;    // the source wrote a list of parts, not one string
  std::string extra_json = {};     // further members as one JSON object, unparsed; empty: none
  bool operator==(const Message&) const = default;
};

struct Node {
  std::int32_t parent = -1;  // -1: a root; else below the own index
  Message message = {};
  std::int32_t source = -1;  // into Dataset::sources
  bool operator==(const Node&) const = default;
};

// The path (after, last]: `last` and its ancestors up to but without `after`. Its prompt: `after` and its ancestors.
struct Completion {
  std::int32_t after = -1, last = -1;
  bool operator==(const Completion&) const = default;
};

// What a judgement is about: exactly one of completion or node; the narrowest set field wins. Offsets in UTF-8 bytes of
// the text.
struct Target {
  std::int32_t completion = -1, node = -1, step = -1;
  std::int64_t begin = -1, end = -1;
  bool is_set() const { return completion >= 0 || node >= 0; }
  bool operator==(const Target&) const = default;
};

enum class Outcome { a, b, tie, both_good, both_bad, incomparable, unsure };
std::string_view name(Outcome outcome);
std::optional<Outcome> outcome_named(std::string_view text);

struct Comparison {
  Target a = {}, b = {};
  Outcome outcome = Outcome::tie;
  std::optional<double> strength = {};  // how much better, in the source's unit (TRL: margin)
  bool operator==(const Comparison&) const = default;
};
struct Ranking {
  std::vector<std::vector<Target>> tiers = {};  // best first; ties share a tier
  bool partial = false;                         // best-worst scaling and other incomplete orders
  bool operator==(const Ranking&) const = default;
};
struct Rating {
  std::string attribute = {};
  double value = 0;
  std::int32_t scale = -1;  // into Dataset::scales
  bool operator==(const Rating&) const = default;
};
struct Votes {  // a soft or already aggregated label
  std::vector<Target> options = {};
  std::vector<double> share = {};
  bool operator==(const Votes&) const = default;
};
struct Label {
  std::string name = {}, value = {};
  bool operator==(const Label&) const = default;
};
struct Critique {
  std::string text = {};
  bool operator==(const Critique&) const = default;
};
struct Edit {
  std::string after = {};  // the difference is derived, never stored
  bool operator==(const Edit&) const = default;
};
struct Signal {  // dwell, copy, regenerate, upvote
  std::string kind = {};
  double value = 0;
  bool operator==(const Signal&) const = default;
};

using Judgement = std::variant<Comparison, Ranking, Rating, Votes, Label, Critique, Edit, Signal>;

struct Feedback {
  Judgement what = {};
  Target on = {};                        // unset for comparisons, rankings and votes, which name their own targets
  std::int32_t annotator = -1;           // into Dataset::annotators
  std::int32_t rubric = -1;              // into Dataset::rubrics
  std::int32_t supersedes = -1;          // an earlier feedback of this record that this one corrects
  std::vector<std::int32_t> shown = {};  // completions in the order on the annotator's screen
  std::string why = {};
  std::optional<std::int64_t> time_us = {};  // since 1970, UTC
  std::optional<double> seconds = {};        // spent
  std::optional<double> confidence = {};     // [0, 1]
  double weight = 1;
  std::string extra_json = {};
  bool operator==(const Feedback&) const = default;
};

struct Record {
  std::string id = {};  // may be empty: then the row number addresses it
  std::vector<Node> nodes = {};
  std::vector<Completion> completions = {};
  std::vector<Feedback> feedback = {};
  std::string context = {}, answer = {};  // retrieved or task context; the reference answer of a verifiable task
  std::string extra_json = {};            // unknown columns: one JSON object in the order of the row, unparsed
  std::vector<std::string> documents = {}, tools_json = {};
  bool operator==(const Record&) const = default;
};

struct Annotator {
  enum Kind { human, model, rule, crowd } kind = human;
  std::string id = {};
  std::vector<std::pair<std::string, std::string>> traits = {};  // "age" -> "30-39"
  bool operator==(const Annotator&) const = default;
};
std::string_view name(Annotator::Kind kind);
std::optional<Annotator::Kind> annotator_kind_named(std::string_view text);

struct Scale {
  std::string name = {};
  std::optional<double> low = {}, high = {};
  std::vector<std::string> words = {};  // from low to high, where the steps have names
  bool operator==(const Scale&) const = default;
};
struct Rubric {
  std::string name = {}, text = {};
  bool operator==(const Rubric&) const = default;
};
struct Source {
  std::string path = {}, format = {};
  std::string layout = {};  // what the format needs to write its rows back as they came, in the format's own words
  std::string licence = {}, hash = {};
  std::vector<std::string> chain = {};  // what was done to it, oldest first
  bool operator==(const Source&) const = default;
};

struct Dataset {
  std::vector<Record> records = {};
  std::vector<Annotator> annotators = {};
  std::vector<Scale> scales = {};
  std::vector<Rubric> rubrics = {};
  std::vector<Source> sources = {};
};

// The text of a message's parts of kind text and tool_result, joined without separator.
std::string text_of(const Message& message);

// The messages from the root to `node`, oldest first; -1 gives none. Pointers into `record`.
std::vector<const Message*> path_to(const Record& record, std::int32_t node);
// A completion's prompt and its own messages. Pointers into `record`.
std::vector<const Message*> prompt_messages(const Record& record, const Completion& completion);
std::vector<const Message*> completion_messages(const Record& record, const Completion& completion);
std::string prompt_text(const Record& record, const Completion& completion);      // text_of each, joined
std::string completion_text(const Record& record, const Completion& completion);  // text_of each, joined

// One decided comparison of two whole completions of a record.
struct Pair {
  std::int32_t chosen = -1, rejected = -1;  // completions
  std::int32_t feedback = -1;               // whose comparison it is
  std::optional<double> strength = {};
  double weight = 1;
};
// Every comparison whose outcome is a or b, in order, without those that a later feedback supersedes.
std::vector<Pair> pairs(const Record& record);

// Which feedback of the record a later one supersedes; as long as record.feedback.
std::vector<bool> superseded(const Record& record);

}  // namespace attune
