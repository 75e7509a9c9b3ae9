// A record that is being filled from a row or put into one: what formats say of prompts, answers and opinions, once for
// both directions. See two_way.h.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/formats/row_entry.h"

namespace attune::formats {

// How a column spells an outcome.
struct OutcomeWord {
  std::string_view text = {};
  Outcome outcome = Outcome::tie;
};

// What a number in a column rates.
struct RatingOf {
  std::string attribute = {};
  Target on = {};
  Scale scale = {};  // without a name: none
  std::int32_t annotator = -1;
  bool real = false;  // written with a decimal point
};

class Draft {
 public:
  Draft(Record& record, RowContext& context);           // reading
  Draft(const Record& record, const Dataset& dataset);  // writing
  bool reading() const { return context_ != nullptr; }

  // The record's name. Without this a column `id` is it.
  void identity(Entry& entry, std::string_view key);
  bool identified() const { return identified_; }

  // The prompt of all answers that follow: one text of the user's, or a list of {role, content}.
  void question(Entry& entry, std::string_view key);
  void conversation(Entry& entry, std::string_view key);
  void bare_question(Entry& entry, std::string_view key);  // whatever else the message holds, written elsewhere
  // The prompt in any other form. Reading: adds messages. Writing: gives them.
  void add_prompt(std::vector<Message> messages);
  std::vector<const Message*> prompt();

  // The next answer; its index. An answer without text is noted, not refused: people judged it as it was.
  std::int32_t answer(Entry& entry, std::string_view key);
  std::int32_t bare_answer(Entry& entry, std::string_view key);  // likewise
  std::int32_t add_answer(std::string text);                     // reading
  std::string answer_text(std::int32_t index);                   // writing
  // A whole conversation as the next answer: its prompt ends before the first message of the assistant's.
  std::int32_t transcript(Entry& entry, std::string_view key);
  std::size_t answers() const { return record_->completions.size(); }
  // Who gave an answer, usually a model.
  void speaker(Entry& entry, std::string_view key, std::int32_t answer);

  void reference(Entry& entry, std::string_view key);  // Record::answer
  void context(Entry& entry, std::string_view key);    // Record::context

  // One number, label or text about a target. A missing or null column says nothing.
  void rating(Entry& entry, std::string_view key, const RatingOf& what);
  void label(Entry& entry, std::string_view key, const std::string& name, const Target& on,
             std::int32_t annotator = -1);
  void flag(Entry& entry, std::string_view key, const std::string& name, const Target& on);  // a label true or false
  // A label that one annotator gave to the record as a whole. Writing: only that annotator's.
  void labels_of(Entry& entry, std::string_view key, std::int32_t annotator);
  void critique(Entry& entry, std::string_view key, const Target& on, std::int32_t annotator = -1);
  // Which of answers 0 and 1 is better, in words, or as a number whose sign says it (below 0: answer 0) and whose
  // magnitude is the strength.
  void verdict(Entry& entry, std::string_view key, std::span<const OutcomeWord> words, std::int32_t annotator = -1);
  void signed_verdict(Entry& entry, std::string_view key, std::int32_t annotator = -1);
  // The same as a number that names the better answer.
  struct Numbers {
    double first = 0, second = 1;
    std::optional<double> tie = {};
  };
  void numbered_verdict(Entry& entry, std::string_view key, const Numbers& numbers, std::int32_t annotator = -1);
  // A comparison of answers 0 and 1 that no column spells out, because numbers elsewhere say it.
  void implied_verdict(double first, double second);
  // Who judged: a column with a name. Writing: that of the first feedback that has one.
  std::int32_t judge(Entry& entry, std::string_view key, Annotator::Kind kind = Annotator::human);
  // A comparison that no column spells out: answer `better` over answer `worse`.
  void prefers(std::int32_t better, std::int32_t worse, std::int32_t annotator = -1);

  // Any other feedback. Reading: `map` fills a new one, which is kept if it returns true. Writing: `map` is given a
  // copy of the first one not yet written that `is` accepts, if there is one.
  void opinion(const std::function<bool(const Feedback&)>& is, const std::function<bool(Feedback&)>& map);
  std::size_t count(const std::function<bool(const Feedback&)>& is) const;  // not yet written

  std::int32_t annotator(const Annotator& annotator);       // reading: its number; writing: -1 where unknown
  const Annotator* annotator_at(std::int32_t index) const;  // writing
  std::int32_t scale(const Scale& scale);

  Record& filled() { return *filled_; }  // reading
  const Record& record() const { return *record_; }
  void refuse() { possible_ = false; }  // writing: the row cannot say this record
  bool possible() const { return possible_; }

 private:
  std::optional<std::string> text_for(const Message& message) const;
  Record* filled_ = nullptr;
  const Record* record_ = nullptr;
  RowContext* context_ = nullptr;
  const Dataset* dataset_ = nullptr;
  std::vector<bool> used_;
  std::int32_t prompt_end_ = -1, next_answer_ = 0;
  bool identified_ = false, possible_ = true, bare_ = false;
};

// The text of a message that is nothing but text; none for calls, parts and names of another kind.
std::optional<std::string> only_text(const Message& message);

}  // namespace attune::formats
